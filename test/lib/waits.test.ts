import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { abortable, isAbort } from '../../src/lib/abort.ts';
import { createBackoff } from '../../src/lib/backoff.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { silentLogger, type Logger } from '../../src/lib/logger.ts';
import { runLoop } from '../../src/lib/loop.ts';
import { createWake } from '../../src/lib/wake.ts';
import { createManualClock, settled } from '../support/manual-clock.ts';

const never = new AbortController().signal;

async function isWaiting(promise: Promise<unknown>): Promise<boolean> {
  let waiting = true;
  void promise.then(
    () => (waiting = false),
    () => (waiting = false),
  );
  await settled();
  return waiting;
}

describe('a wake', () => {
  it('that was raised before lets one wait through, and the next waits', async () => {
    const wake = createWake();
    wake.raise();
    wake.raise();
    await wake.wait(never);
    const next = wake.wait(never);
    expect(await isWaiting(next)).toBe(true);
    wake.raise();
    await next;
  });

  it('lets all who wait go on at once', async () => {
    const wake = createWake();
    const waits = [wake.wait(never), wake.wait(never), wake.wait(never)];
    wake.raise();
    expect(await Promise.all(waits.map(isWaiting))).toEqual([false, false, false]);
  });

  it('whose raise was taken by those who waited is down again', async () => {
    const wake = createWake();
    const first = wake.wait(never);
    wake.raise();
    await first;
    expect(await isWaiting(wake.wait(never))).toBe(true);
  });

  it("gives up with the signal's reason, also when it was aborted before, and forgets who waited", async () => {
    const wake = createWake();
    const gone = new AbortController();
    const wait = wake.wait(gone.signal);
    gone.abort(new Error('gone'));
    await expect(wait).rejects.toThrow('gone');
    await expect(wake.wait(gone.signal)).rejects.toThrow('gone');
    wake.raise();
    await wake.wait(never);
  });

  it('loses no raise between a read and the wait that was begun before it', async () => {
    await fc.assert(
      fc.asyncProperty(fc.scheduler(), fc.integer({ min: 1, max: 6 }), async (scheduler, changes) => {
        const wake = createWake();
        let stored = 0;
        const writer = scheduler.scheduleSequence(
          Array.from({ length: changes }, () => async () => {
            stored += 1;
            wake.raise();
          }),
        );
        let seen = 0;
        const reader = (async () => {
          while (seen < changes) {
            const next = wake.wait(never);
            seen = await scheduler.schedule(Promise.resolve()).then(() => stored);
            if (seen < changes) await next;
          }
        })();
        await scheduler.waitFor(Promise.all([reader, writer.task]));
        expect(seen).toBe(changes);
      }),
    );
  });
});

describe('a loop', () => {
  const failing = (errors: unknown[]): Logger => ({ ...silentLogger, error: (fields) => errors.push(fields['err']) });

  it('makes a pass when woken, when its interval is over, and when the pass asked for it', async () => {
    const clock = createManualClock();
    const wake = createWake();
    const stop = new AbortController();
    const passes: number[] = [];
    const startMs = clock.monotonic();
    const loop = runLoop(
      { name: 'x', clock, log: silentLogger, wake, intervalMs: 1000, retryMs: 10 },
      async () => {
        passes.push(clock.monotonic() - startMs);
        return passes.length === 2 ? 300 : undefined;
      },
      stop.signal,
    );
    await clock.advance(1000);
    await clock.advance(300);
    await clock.advance(100);
    wake.raise();
    await settled();
    await clock.advance(1000);
    expect(passes).toEqual([0, 1000, 1300, 1400, 2400]);
    stop.abort();
    await loop;
  });

  it('never makes two passes at once, and a raise during one makes another', async () => {
    const clock = createManualClock();
    const wake = createWake();
    const stop = new AbortController();
    let inside = 0;
    let passes = 0;
    const loop = runLoop(
      { name: 'x', clock, log: silentLogger, wake, intervalMs: 1e6, retryMs: 10 },
      async () => {
        inside += 1;
        expect(inside).toBe(1);
        passes += 1;
        if (passes === 1) wake.raise();
        await settled();
        inside -= 1;
      },
      stop.signal,
    );
    for (let turn = 0; turn < 5; turn += 1) await settled();
    expect(passes).toBe(2);
    stop.abort();
    await loop;
  });

  it('goes on after a pass that threw, and tells of it', async () => {
    const clock = createManualClock();
    const errors: unknown[] = [];
    const stop = new AbortController();
    let passes = 0;
    const loop = runLoop(
      { name: 'x', clock, log: failing(errors), wake: createWake(), intervalMs: 1000, retryMs: 50 },
      async () => {
        passes += 1;
        throw new Error(`pass ${passes}`);
      },
      stop.signal,
    );
    await clock.advance(120);
    expect(errors).toEqual([new Error('pass 1'), new Error('pass 2'), new Error('pass 3')]);
    stop.abort();
    await loop;
  });

  it('ends without a word when the pass was cut by its end', async () => {
    const errors: unknown[] = [];
    const stop = new AbortController();
    const loop = runLoop(
      { name: 'x', clock: createManualClock(), log: failing(errors), wake: createWake(), intervalMs: 1, retryMs: 1 },
      async (signal) => {
        await new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
      },
      stop.signal,
    );
    stop.abort();
    await loop;
    expect(errors).toEqual([]);
  });
});

describe('waits that double', () => {
  it('stay between half of their step and the step, up to the longest, and begin anew', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 1000 }),
        fc.integer({ min: 1, max: 60_000 }),
        fc.double({ min: 0, max: 0.999, noNaN: true }),
        (firstMs, more, fraction) => {
          const longestMs = firstMs + more;
          const backoff = createBackoff({ firstMs, longestMs, random: () => fraction });
          for (let round = 0; round < 20; round += 1) {
            const stepMs = Math.min(firstMs * 2 ** round, longestMs);
            const waitMs = backoff.nextMs();
            expect(waitMs).toBeGreaterThanOrEqual(Math.floor(stepMs / 2));
            expect(waitMs).toBeLessThanOrEqual(stepMs);
          }
          backoff.reset();
          expect(backoff.nextMs()).toBeLessThanOrEqual(firstMs);
        },
      ),
    );
  });
});

describe('a wait under a signal', () => {
  it("ends with the signal's reason, while its promise goes on", async () => {
    const gone = new AbortController();
    const wait = abortable(new Promise(() => undefined), gone.signal);
    gone.abort();
    const error: unknown = await wait.catch((reason: unknown) => reason);
    expect(isAbort(error, gone.signal)).toBe(true);
    await expect(abortable(Promise.resolve(1), gone.signal)).rejects.toBe(gone.signal.reason);
    expect(await abortable(Promise.resolve(1), never)).toBe(1);
    await expect(abortable(Promise.reject(new Error('own')), never)).rejects.toThrow('own');
  });

  it('tells its end from a failure of its own', () => {
    const gone = new AbortController();
    gone.abort();
    expect([
      isAbort(gone.signal.reason, gone.signal),
      isAbort(new Error('own'), gone.signal),
      isAbort(gone.signal.reason, never),
    ]).toEqual([true, false, false]);
  });

  it("of the system's clock is cut at once, and never longer than a timer can be", async () => {
    const gone = new AbortController();
    const sleeps = [systemClock.sleep(1e12, gone.signal), systemClock.sleep(60_000, gone.signal)];
    gone.abort();
    for (const sleep of sleeps) await expect(sleep).rejects.toBe(gone.signal.reason);
    await expect(systemClock.sleep(1, gone.signal)).rejects.toBe(gone.signal.reason);
    await systemClock.sleep(-5);
    await new Promise<void>((resolve) => systemClock.defer(resolve));
  });
});
