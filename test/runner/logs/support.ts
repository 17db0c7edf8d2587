import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Clock } from '../../../src/lib/clock.ts';
import type { LogChunk, WorkloadRef } from '../../../src/runner/backend/backend.ts';
import { createLogProgress, type LogProgressSetter } from '../../../src/runner/logs/log-progress.ts';
import { type LogQuery, type LogRecord, readLog } from '../../../src/runner/logs/log-reader.ts';
import { type LogWriter, openLogWriter } from '../../../src/runner/logs/log-writer.ts';
import { createWake } from '../../../src/lib/wake.ts';
import { taskId } from '../../../src/protocol/ids.ts';

export interface Folder extends AsyncDisposable {
  path: string;
}

export async function temporaryFolder(): Promise<Folder> {
  const path = await mkdtemp(join(tmpdir(), 'weir-logs-'));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

export const ref = (counter: number, attempt = 1): WorkloadRef => ({ task: taskId.fromCounter(counter), attempt });

export const never = new AbortController().signal;

/** Chunk number `n` of a backend: its position is the number of chunks up to it. */
export function chunk(n: number, text: string | Uint8Array, stream: 'stdout' | 'stderr' = 'stdout'): LogChunk {
  const bytes = typeof text === 'string' ? Buffer.from(text) : text;
  return { stream, atUs: 1_700_000_000_000_000 + n, bytes, position: String(n + 1) };
}

export interface OpenedWriter extends AsyncDisposable {
  writer: LogWriter;
  progress: LogProgressSetter;
}

export async function openWriter(dir: string, capBytes = 1 << 30): Promise<OpenedWriter> {
  const progress = createLogProgress();
  const writer = await openLogWriter({ dir, capBytes, progress });
  return { writer, progress, [Symbol.asyncDispose]: () => writer[Symbol.asyncDispose]() };
}

export async function writeLog(dir: string, chunks: Iterable<LogChunk>, capBytes?: number): Promise<void> {
  await using opened = await openWriter(dir, capBytes);
  for (const each of chunks) await opened.writer.append(each);
  await opened.writer.finish();
}

export async function records(dir: string, query: LogQuery = {}): Promise<LogRecord[]> {
  const all: LogRecord[] = [];
  for await (const record of readLog({ dir, progress: null }, query, never)) all.push(record);
  return all;
}

export async function text(dir: string, query: LogQuery = {}): Promise<string> {
  return Buffer.concat((await records(dir, query)).map(({ bytes }) => bytes)).toString();
}

/** A backend whose output the test gives out; every call of `logs` begins at its position. */
export function scriptedBackend(): {
  logs(ref: WorkloadRef, position: string | null, signal: AbortSignal): AsyncIterable<LogChunk>;
  say(text: string, stream?: 'stdout' | 'stderr'): void;
  end(): void;
  fail(error: Error): void;
  positions: (string | null)[];
} {
  const chunks: LogChunk[] = [];
  const wake = createWake();
  const positions: (string | null)[] = [];
  let ended = false;
  let failure: Error | null = null;
  return {
    positions,
    async *logs(_ref, position, signal) {
      positions.push(position);
      for (let at = Number(position ?? 0); ;) {
        if (failure) {
          const error = failure;
          failure = null;
          throw error;
        }
        const next = chunks[at];
        at += next ? 1 : 0;
        if (next) yield next;
        else if (ended) return;
        else await wake.wait(signal);
      }
    },
    say(what, stream) {
      chunks.push(chunk(chunks.length, what, stream));
      wake.raise();
    },
    end() {
      ended = true;
      wake.raise();
    },
    fail(error) {
      failure = error;
      wake.raise();
    },
  };
}

/** A clock whose sleeps end at once, so that retries come without waiting; long ones never end. */
export const hurriedClock: Clock = {
  now: () => 0,
  monotonic: () => 0,
  defer: (fn) => setImmediate(fn),
  sleep: (ms, signal) =>
    new Promise((resolve, reject) => {
      if (signal?.aborted) reject(signal.reason);
      signal?.addEventListener('abort', () => reject(signal.reason), { once: true });
      if (ms < 60_000) setImmediate(resolve);
    }),
};
