import type { Logger, LogMethod } from '../../../lib/logger.ts';

/** Structured lines on the worker's console. */
export function createConsoleLog(bound: Readonly<Record<string, unknown>> = {}): Logger {
  const method =
    (level: string): LogMethod =>
    (fields, message) =>
      console.log(JSON.stringify({ level, ...bound, ...fields, msg: message }, words));
  return {
    debug: () => undefined,
    info: method('info'),
    warn: method('warn'),
    error: method('error'),
    child: (fields) => createConsoleLog({ ...bound, ...fields }),
  };
}

function words(_name: string, value: unknown): unknown {
  return value instanceof Error ? `${value.stack ?? value.message}` : value;
}
