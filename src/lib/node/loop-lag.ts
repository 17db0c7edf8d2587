import { monitorEventLoopDelay } from 'node:perf_hooks';

/** How late the event loop of this process is. */
export interface LoopLag extends Disposable {
  /** 99th percentile since the last call, ms; 0 when nothing was measured. */
  takeP99Ms(): number;
}

/** Ten wake-ups a second cost an idle process next to nothing. */
const resolutionMs = 100;

export function measureLoopLag(): LoopLag {
  const delays = monitorEventLoopDelay({ resolution: resolutionMs });
  delays.enable();
  return {
    takeP99Ms() {
      const p99Ms = delays.percentile(99) / 1e6;
      delays.reset();
      // The histogram counts the time from tick to tick: the tick itself is no lag.
      return Math.max(0, p99Ms - resolutionMs);
    },
    [Symbol.dispose]: () => void delays.disable(),
  };
}
