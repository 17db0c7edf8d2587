import { CliError } from '../cli-error.ts';
import { exitCodes } from '../exit-codes.ts';
import { type Api, path } from './api.ts';
import { lines } from './lines.ts';

export type LogStream = 'stdout' | 'stderr';

/** What a record is of: `weir` are Weir's own words in the log, such as how much was cut. */
export type LogSource = LogStream | 'weir';

/** A piece of output. `offset` counts the payload bytes of the attempt before it, both streams together. */
export interface LogRecord {
  at: string | null;
  stream: LogSource;
  offset: number;
  bytes: Uint8Array;
}

export interface LogQuery {
  task: string;
  attempt?: number | undefined;
  follow: 'follow' | 'now';
  since?: number | undefined;
  tail?: number | undefined;
  stream?: LogStream | undefined;
}

/** One answer of the log route, record by record, until the Host ends it. */
export async function* readLogs(api: Api, query: LogQuery, signal: AbortSignal): AsyncGenerator<LogRecord> {
  const chunks = await api.open(
    {
      path: path('tasks', query.task, 'logs'),
      query: {
        follow: query.follow === 'follow' ? 'true' : undefined,
        since: query.since,
        tail: query.tail,
        stream: query.stream,
        attempt: query.attempt,
      },
      headers: { accept: 'application/x-ndjson, application/problem+json' },
    },
    signal,
  );
  for await (const line of lines(chunks)) if (line !== '') yield parseRecord(line);
}

function parseRecord(line: string): LogRecord {
  try {
    const value: unknown = JSON.parse(line);
    if (typeof value === 'object' && value !== null) {
      const { at, stream, offset, text, base64 } = value as Record<string, unknown>;
      const bytes = payload(text, base64);
      if ((stream === 'stdout' || stream === 'stderr' || stream === 'weir') && typeof offset === 'number' && bytes) {
        return { at: typeof at === 'string' ? at : null, stream, offset, bytes };
      }
    }
  } catch {
    // A line that was cut with its connection ends here too: the next request asks for it again.
  }
  throw new CliError('a line of the log is not understood or was cut', {
    exitCode: exitCodes.failure,
    code: 'bad_answer',
    passing: true,
  });
}

function payload(text: unknown, base64: unknown): Uint8Array | null {
  if (typeof text === 'string') return Buffer.from(text, 'utf8');
  if (typeof base64 === 'string') return Buffer.from(base64, 'base64');
  return null;
}
