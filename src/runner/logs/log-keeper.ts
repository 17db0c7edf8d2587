import { rm, rmdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { abortable } from '../../lib/abort.ts';
import { createBackoff } from '../../lib/backoff.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Logger } from '../../lib/logger.ts';
import { runLoop } from '../../lib/loop.ts';
import { createWake } from '../../lib/wake.ts';
import { taskId } from '../../protocol/ids.ts';
import type { Backend, WorkloadRef } from '../backend/backend.ts';
import { createLogProgress, type LogProgressSetter } from './log-progress.ts';
import {
  type LogExtent,
  type LogQuery,
  type LogRecord,
  type LogSource,
  readLogBatches,
  readLogExtent,
} from './log-reader.ts';
import { type LogRetention, sweepLogs } from './log-retention.ts';
import { type LogWriter, openLogWriter } from './log-writer.ts';

export interface LogKeeperOptions {
  /** `DIR/runner/logs`. */
  dir: string;
  clock: Clock;
  log: Logger;
  backend: Pick<Backend, 'logs'> & Partial<Pick<Backend, 'trimLogs'>>;
  /** Most bytes of one attempt's log; 256 MiB unless said. */
  capBytes?: number;
  /** What an attempt asked for itself: less than `capBytes`, or it counts for nothing. */
  capOf?: (ref: WorkloadRef) => number | undefined;
  /** For attempts that nobody follows; 7 days and 20 GiB unless said. */
  retention?: LogRetention;
}

/** Keeps the output of attempts in files of our own, past the end of their containers. */
export interface LogKeeper extends AsyncDisposable {
  /** Begins to keep an attempt's output, or goes on where it was left; once is enough. */
  follow(ref: WorkloadRef): void;
  /** Follows, and resolves when all output is in our file. */
  complete(ref: WorkloadRef, signal: AbortSignal): Promise<void>;
  /** Stops following and takes the files away; whoever reads them comes to their end. */
  remove(ref: WorkloadRef): Promise<void>;
  /** `null` when there is no log of that attempt. */
  extent(ref: WorkloadRef): Promise<LogExtent | null>;
  read(ref: WorkloadRef, query: LogQuery, signal: AbortSignal): AsyncIterable<LogRecord[]>;
}

interface Kept {
  progress: LogProgressSetter;
  /** The file is there and can be read, or the first try failed. */
  opened: Promise<void>;
  done: Promise<void>;
  stop: AbortController;
}

const defaultCapBytes = 256 * 1024 * 1024;
const defaultRetention: LogRetention = { maxAgeMs: 7 * 86_400_000, maxTotalBytes: 20 * 1024 ** 3 };
const sweepEveryMs = 600_000;
/** How much is stored here before the backend is told that it may forget it. */
const trimEveryBytes = 16 * 1024 * 1024;

export function createLogKeeper(options: LogKeeperOptions): LogKeeper {
  const { dir, clock, log, retention = defaultRetention } = options;
  const kept = new Map<string, Kept>();
  const stop = new AbortController();
  const sweeping = runLoop(
    { name: 'log retention', clock, log, wake: createWake(), intervalMs: sweepEveryMs, retryMs: sweepEveryMs },
    () => sweepLogs({ dir, retention, nowMs: clock.now(), isKept: (folder) => kept.has(folder) }),
    stop.signal,
  );

  const follow = (ref: WorkloadRef): Kept => {
    const folder = folderOf(ref);
    const known = kept.get(folder);
    if (known) return known;
    stop.signal.throwIfAborted();
    const begun = beginKeeping(ref, { ...options, dir: join(dir, folder) });
    kept.set(folder, begun);
    begun.done.then(
      () => forget(folder, begun),
      () => forget(folder, begun),
    );
    return begun;
  };
  const forget = (folder: string, which: Kept): void => {
    if (kept.get(folder) === which) kept.delete(folder);
  };
  const sourceOf = async (ref: WorkloadRef): Promise<LogSource> => {
    const folder = folderOf(ref);
    const known = kept.get(folder);
    await known?.opened;
    return { dir: join(dir, folder), progress: known?.progress ?? null };
  };
  return {
    follow: (ref) => void follow(ref),
    complete: (ref, signal) => abortable(follow(ref).done, signal),
    async remove(ref) {
      const folder = folderOf(ref);
      await end(kept.get(folder));
      await rm(join(dir, folder), { recursive: true, force: true });
      await rmdir(dirname(join(dir, folder))).catch(() => undefined);
    },
    extent: async (ref) => readLogExtent(await sourceOf(ref)),
    async *read(ref, query, signal) {
      yield* readLogBatches(await sourceOf(ref), query, signal);
    },
    async [Symbol.asyncDispose]() {
      stop.abort();
      await Promise.all([sweeping, ...[...kept.values()].map(end)]);
    },
  };
}

async function end(which: Kept | undefined): Promise<void> {
  which?.stop.abort();
  await which?.done.catch(() => undefined);
  which?.progress.set({ closed: true });
}

function folderOf({ task, attempt }: WorkloadRef): string {
  if (taskId.parse(task) === null || !Number.isSafeInteger(attempt) || attempt < 0) {
    throw new TypeError(`"${task}", attempt ${attempt} names no log`);
  }
  return join(task, String(attempt));
}

function beginKeeping(ref: WorkloadRef, options: LogKeeperOptions): Kept {
  const stop = new AbortController();
  const progress = createLogProgress();
  let onOpened = (): void => undefined;
  const opened = new Promise<void>((resolve) => {
    onOpened = resolve;
  });
  const done = keep(ref, { ...options, progress, onOpened }, stop.signal).finally(onOpened);
  return { progress, opened, done, stop };
}

interface Keeping extends LogKeeperOptions {
  progress: LogProgressSetter;
  onOpened: () => void;
}

/** Goes on until all is written: an engine that is away or a full disk is waited for. */
async function keep(ref: WorkloadRef, options: Keeping, signal: AbortSignal): Promise<void> {
  const backoff = createBackoff({ firstMs: 100, longestMs: 10_000, random: () => 1 });
  for (;;) {
    try {
      await copyOutput(ref, options, signal);
      return;
    } catch (error) {
      signal.throwIfAborted();
      options.log.warn({ err: error, task: ref.task, attempt: ref.attempt }, 'output is not being kept; trying again');
      options.onOpened();
      await options.clock.sleep(backoff.nextMs(), signal);
    }
  }
}

async function copyOutput(ref: WorkloadRef, options: Keeping, signal: AbortSignal): Promise<void> {
  const { dir, capBytes = defaultCapBytes, capOf, progress, backend } = options;
  const writer = await openLogWriter({ dir, capBytes: Math.min(capBytes, capOf?.(ref) ?? Infinity), progress });
  try {
    options.onOpened();
    if (writer.complete) return;
    let untrimmedBytes = 0;
    for await (const chunk of backend.logs(ref, writer.position, signal)) {
      await writer.append(chunk);
      untrimmedBytes += chunk.bytes.length;
      if (untrimmedBytes < trimEveryBytes) continue;
      untrimmedBytes = 0;
      await trim(ref, { writer, backend }, signal);
    }
    signal.throwIfAborted();
    await writer.finish();
  } finally {
    await writer[Symbol.asyncDispose]();
  }
}

/** Only what our own file has, with the position behind it, is given up. */
async function trim(
  ref: WorkloadRef,
  { writer, backend }: { writer: LogWriter; backend: Keeping['backend'] },
  signal: AbortSignal,
): Promise<void> {
  const position = await writer.storedPosition();
  if (position !== null) await backend.trimLogs?.(ref, position, signal);
}
