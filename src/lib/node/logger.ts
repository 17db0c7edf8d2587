import pino from 'pino';
import type { Logger } from '../logger.ts';
import { logText } from './log-text.ts';

export interface LogOptions {
  level: 'debug' | 'info' | 'warn' | 'error';
  /** `null`: standard error; standard output belongs to what people and scripts read. */
  file: string | null;
  format: 'json' | 'text';
}

export interface ProcessLogger extends Logger {
  /** Opens the file by its name again: the old one has been moved away. */
  reopen(): void;
}

const redact = ['authorization', 'cookie', 'token', '*.authorization', '*.cookie', '*.token'];

/** @throws Error when the file cannot be written */
export function createLogger({ level, file, format }: LogOptions): ProcessLogger {
  const out = pino.destination({
    dest: file ?? 2,
    sync: true,
    ...(file === null ? {} : { mode: 0o640 }),
  });
  // A full disk costs lines, not the process.
  out.on('error', () => undefined);
  const destination = format === 'json' ? out : { write: (line: string) => void out.write(logText(line)) };
  const options = { level, redact, base: null, timestamp: pino.stdTimeFunctions.isoTime };
  const log: Logger = pino(options, destination);
  return {
    debug: (fields, message) => log.debug(fields, message),
    info: (fields, message) => log.info(fields, message),
    warn: (fields, message) => log.warn(fields, message),
    error: (fields, message) => log.error(fields, message),
    child: (fields) => log.child(fields),
    reopen: () => {
      if (file !== null) out.reopen(file);
    },
  };
}
