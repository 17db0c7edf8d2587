import { printable } from '../text.ts';

const levels: Readonly<Record<number, string>> = {
  20: 'debug',
  30: 'info',
  40: 'warn',
  50: 'error',
};

/** A record of the log (one line of JSON) as people read it: time, level, sentence, fields. */
export function logText(line: string): string {
  const { level, time, msg, ...fields } = JSON.parse(line) as Record<string, unknown>;
  const told = Object.entries(fields).map(([key, value]) => `${key}=${fieldText(value)}`);
  const word = levels[Number(level)] ?? String(level);
  return `${printable([String(time), word.padEnd(5), typeof msg === 'string' ? msg : '', ...told].join(' ')).replaceAll('\n', ' ')}\n`;
}

function fieldText(value: unknown): string {
  if (typeof value === 'string') return /^[\w./:@-]+$/.test(value) ? value : JSON.stringify(value);
  const message = typeof value === 'object' && value !== null ? Reflect.get(value, 'message') : undefined;
  return JSON.stringify(typeof message === 'string' ? message : value);
}
