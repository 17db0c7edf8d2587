import { createBackoff } from '../../lib/backoff.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Random } from '../../lib/crypto.ts';
import type { Api } from '../client/api.ts';
import { type LogRecord, type LogStream, readLogs } from '../client/log-records.ts';
import { type CliError, isPassing } from '../cli-error.ts';

export interface LogChoice {
  since?: number | undefined;
  tail?: number | undefined;
  stream?: LogStream | undefined;
}

export interface AttemptLog extends LogChoice {
  api: Api;
  clock: Clock;
  random: Random;
  task: string;
  attempt: number;
  /** Whether the attempt has ended, as far as is known: asked before each request. */
  isOver(): boolean;
  /** The Host closed the stream of an attempt that ran when it was last looked at. */
  onPause(): void;
  onRecord(record: Pick<LogRecord, 'stream' | 'bytes'>): Promise<void>;
  onTrouble(error: CliError): void;
}

/** Requests that fail one behind the other before the log of an ended attempt is given up. */
const mostTries = 5;

/**
 * Reads the log of one attempt to its end, each byte once: a connection that is cut is made again from the offset
 * that was reached. It is complete when a whole answer was read that was asked for after the end.
 * @throws CliError when the Host refuses, or the log of an ended attempt stays out of reach.
 */
export async function followAttempt(log: AttemptLog, signal: AbortSignal): Promise<void> {
  const backoff = createBackoff({ firstMs: 50, longestMs: 2000, random: log.random.fraction });
  const place = { offset: log.since ?? null };
  let failures = 0;
  for (;;) {
    const over = log.isOver();
    const before = place.offset;
    try {
      await readOn(log, place, signal);
      if (over) return;
      failures = 0;
      log.onPause();
    } catch (error) {
      if (!isPassing(error)) throw error;
      failures += 1;
      if (over && failures >= mostTries) throw error;
      if (failures > 1) log.onTrouble(error);
    }
    if (place.offset !== before) backoff.reset();
    await log.clock.sleep(backoff.nextMs(), signal);
  }
}

async function readOn(log: AttemptLog, place: { offset: number | null }, signal: AbortSignal): Promise<void> {
  const from = place.offset === null ? { since: log.since, tail: log.tail } : { since: place.offset };
  const query = {
    task: log.task,
    attempt: log.attempt,
    follow: 'follow',
    stream: log.stream,
    ...from,
  } as const;
  for await (const record of readLogs(log.api, query, signal)) {
    const seen = Math.max(0, (place.offset ?? record.offset) - record.offset);
    if (seen >= record.bytes.length) continue;
    await log.onRecord({ stream: record.stream, bytes: record.bytes.subarray(seen) });
    place.offset = record.offset + record.bytes.length;
  }
}
