/** Time as everything of Weir sees it. Passed in, so that a simulated one can take its place. */
export interface Clock {
  /** Wall clock, milliseconds since 1970 UTC. May jump; compare only with values of the same machine. */
  now(): number;
  /** Milliseconds that never go back. The zero is arbitrary. */
  monotonic(): number;
  /** Resolves after `ms`; rejects with the signal's reason when it aborts first. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
  /** Runs `fn` on the next turn of the loop, behind the input that waits now. */
  defer(fn: () => void): void;
}

/** The timers of the JavaScript runtime; `defer` is `setImmediate` where the runtime has it. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  sleep,
  defer: (fn) => {
    const immediate: unknown = Reflect.get(globalThis, 'setImmediate');
    if (typeof immediate === 'function') Reflect.apply(immediate, globalThis, [fn]);
    else setTimeout(fn, 0);
  },
};

/** Node fires timers above 2³¹−1 ms at once. */
const longestTimerMs = 2_147_483_647;

function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) {
      reject(signal.reason);
      return;
    }
    const onAbort = (): void => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = setTimeout(
      () => {
        signal?.removeEventListener('abort', onAbort);
        resolve();
      },
      Math.min(Math.max(0, ms), longestTimerMs),
    );
    signal?.addEventListener('abort', onAbort, { once: true });
  });
}
