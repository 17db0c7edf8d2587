import { sql } from 'drizzle-orm';
import type { Database, Transaction } from './database.ts';
import { StoreError, toStoreError } from './store-error.ts';

/** Group commit: what is asked for in one turn of the loop shares one durable transaction. */
export interface Writes extends AsyncDisposable {
  /**
   * Runs `write` in the next commit and settles after it, so that a result is durable when it is
   * seen. A `write` that throws is undone alone and rejects alone; when the commit fails all reject.
   * `write` awaits nothing but its `tx` (everybody waits meanwhile) and leaves no statement running.
   * Rejects with a StoreError `WRITES_CLOSED`, or `NESTED_TRANSACTION` inside another write.
   */
  run<T>(write: (tx: Transaction) => Promise<T>): Promise<T>;
  /** Resolves when nothing is waiting or being committed. */
  drain(): Promise<void>;
  /** Refuses what comes from now on and drains. */
  close(): Promise<void>;
}

export interface WritesOptions {
  db: Database;
  /** Runs a function behind the input that waits now (`Clock.defer`). */
  defer: (fn: () => void) => void;
  /** Milliseconds that never go back (`Clock.monotonic`). */
  now: () => number;
  /** 500 by default. */
  maxPerCommit?: number;
  /** Told after each commit; `rows` is the number of writes that shared it. Must not throw. */
  onCommit?: (commit: { rows: number; durationMs: number }) => void;
}

interface Job {
  /** Resolves to the function that settles the promise of `run`. */
  attempt(tx: Transaction): Promise<() => void>;
  reject(error: unknown): void;
}

const savepoint = sql.raw('savepoint "write"');
const keep = sql.raw('release "write"');
const undo = sql.raw('rollback to "write"');

export function createWrites(options: WritesOptions): Writes {
  const { db, defer, maxPerCommit = 500 } = options;
  const waiting: Job[] = [];
  const drained: (() => void)[] = [];
  let closed = false;
  let busy = false;

  const flush = async (): Promise<void> => {
    try {
      await commit(options, waiting.splice(0, maxPerCommit));
    } finally {
      if (waiting.length > 0) defer(() => void flush());
      else {
        busy = false;
        for (const resolve of drained.splice(0)) resolve();
      }
    }
  };
  const enqueue = (job: Job): void => {
    waiting.push(job);
    if (busy) return;
    busy = true;
    defer(() => void flush());
  };
  const drain = async (): Promise<void> => {
    if (busy) await new Promise<void>((resolve) => drained.push(resolve));
  };
  const close = async (): Promise<void> => {
    closed = true;
    await drain();
  };

  return {
    run: async (write) => {
      if (closed) throw new StoreError('WRITES_CLOSED', 'the store takes no more writes: the Host is stopping');
      if (db.insideTransaction()) {
        throw new StoreError('NESTED_TRANSACTION', 'code inside a write asked for another one: use its transaction');
      }
      return new Promise((resolve, reject) => enqueue(toJob(write, { resolve, reject })));
    },
    drain,
    close,
    [Symbol.asyncDispose]: close,
  };
}

function toJob<T>(
  write: (tx: Transaction) => Promise<T>,
  { resolve, reject }: { resolve: (value: T) => void; reject: (error: unknown) => void },
): Job {
  return {
    attempt: async (tx) => {
      await tx.run(savepoint);
      try {
        const value = await write(tx);
        await tx.run(keep);
        return () => resolve(value);
      } catch (error) {
        await tx.run(undo);
        await tx.run(keep);
        return () => reject(toStoreError(error));
      }
    },
    reject,
  };
}

async function commit(options: WritesOptions, jobs: Job[]): Promise<void> {
  const { db, now, onCommit } = options;
  const startedMs = now();
  const outcomes: (() => void)[] = [];
  try {
    await db.transaction(async (tx) => {
      for (const job of jobs) outcomes.push(await job.attempt(tx));
    });
  } catch (error) {
    for (const job of jobs) job.reject(error);
    return;
  }
  for (const settle of outcomes) settle();
  onCommit?.({ rows: jobs.length, durationMs: now() - startedMs });
}
