import pino from 'pino';
import type { Logger } from '../logger.ts';

/** Structured lines on standard error: standard output belongs to what people and scripts read. */
export function createLogger(level: 'debug' | 'info' | 'warn' | 'error'): Logger {
  const redact = ['authorization', 'cookie', 'token', '*.authorization', '*.cookie', '*.token'];
  return pino({ level, redact, base: null, timestamp: pino.stdTimeFunctions.isoTime }, pino.destination({ dest: 2, sync: true }));
}
