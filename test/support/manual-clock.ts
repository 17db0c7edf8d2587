import type { Clock } from '../../src/lib/clock.ts';

/** A clock that a test drives: nothing passes by itself. */
export interface ManualClock extends Clock {
  /** Lets time pass, sleeper by sleeper, each followed by all that it sets off. */
  advance(ms: number): Promise<void>;
  /** Moves the wall clock alone, as an operator or NTP does. */
  jumpWall(ms: number): void;
}

interface Sleeper {
  atMs: number;
  wake: () => void;
}

export function createManualClock(startMs = 1_700_000_000_000): ManualClock {
  let monotonicMs = 5000;
  let wallOffsetMs = startMs - monotonicMs;
  const sleepers = new Set<Sleeper>();
  const nextDue = (untilMs: number): Sleeper | undefined =>
    [...sleepers].filter(({ atMs }) => atMs <= untilMs).toSorted((a, b) => a.atMs - b.atMs)[0];
  return {
    now: () => monotonicMs + wallOffsetMs,
    monotonic: () => monotonicMs,
    defer: (fn) => void setImmediate(fn),
    sleep: (ms, signal) =>
      new Promise((resolve, reject) => {
        if (signal?.aborted) {
          reject(signal.reason);
          return;
        }
        const sleeper = { atMs: monotonicMs + Math.max(0, ms), wake: (): void => settle(resolve) };
        const onAbort = (): void => settle(() => reject(signal?.reason));
        const settle = (then: () => void): void => {
          sleepers.delete(sleeper);
          signal?.removeEventListener('abort', onAbort);
          then();
        };
        sleepers.add(sleeper);
        signal?.addEventListener('abort', onAbort, { once: true });
      }),
    async advance(ms) {
      const untilMs = monotonicMs + ms;
      await settled();
      for (let due = nextDue(untilMs); due !== undefined; due = nextDue(untilMs)) {
        monotonicMs = Math.max(monotonicMs, due.atMs);
        due.wake();
        await settled();
      }
      monotonicMs = untilMs;
    },
    jumpWall(ms) {
      wallOffsetMs += ms;
    },
  };
}

/** Everything that needs no time has been done: promises, and what they deferred. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < 3; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}
