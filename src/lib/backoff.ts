export interface BackoffOptions {
  firstMs: number;
  longestMs: number;
  /** 0 ≤ n < 1, for the jitter. */
  random: () => number;
}

/** Waits that double up to a bound, each drawn between half and the whole of its step. */
export function createBackoff(options: BackoffOptions): { nextMs(): number; reset(): void } {
  let stepMs = options.firstMs;
  return {
    nextMs() {
      const ms = stepMs / 2 + (stepMs / 2) * options.random();
      stepMs = Math.min(stepMs * 2, options.longestMs);
      return Math.round(ms);
    },
    reset() {
      stepMs = options.firstMs;
    },
  };
}
