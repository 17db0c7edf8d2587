import type { LogRecord } from '../logs/log-reader.ts';
import { formatMicroseconds } from './log-query.ts';

export type LogFormat = 'text' | 'ndjson';

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * Turns batches into a body that reads on only when it is read. Cancelling it (the client has gone) ends the reading.
 */
export function logBody(
  batches: (signal: AbortSignal) => AsyncIterable<LogRecord[]>,
  format: LogFormat,
  signal: AbortSignal,
): ReadableStream<Uint8Array> {
  const gone = new AbortController();
  const source = batches(AbortSignal.any([signal, gone.signal]))[Symbol.asyncIterator]();
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const { value, done } = await source.next();
        if (done) controller.close();
        else controller.enqueue(format === 'text' ? asText(value) : asLines(value));
      },
      async cancel() {
        gone.abort();
        await source.return?.();
      },
    },
    { highWaterMark: 0 },
  );
}

function asText(records: LogRecord[]): Uint8Array {
  return Buffer.concat(records.map(({ bytes }) => bytes));
}

/** A record that is not UTF-8 by itself, a torn letter too, goes as base64. */
function asLines(records: LogRecord[]): Uint8Array {
  const lines = records.map(({ stream, atUs, offset, bytes }) => {
    return `${JSON.stringify({ at: formatMicroseconds(atUs), stream, offset, ...content(bytes) })}\n`;
  });
  return Buffer.from(lines.join(''));
}

function content(bytes: Buffer): { text: string } | { base64: string } {
  try {
    return { text: utf8.decode(bytes) };
  } catch {
    return { base64: bytes.toString('base64') };
  }
}
