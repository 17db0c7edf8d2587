import { describe, expect, it } from 'vitest';
import { measureLoopLag } from '../../../src/lib/node/loop-lag.ts';
import { systemClock } from '../../../src/lib/clock.ts';

describe('the lag of the event loop', () => {
  it('is seen when something holds the loop, and forgotten afterwards', async () => {
    using lag = measureLoopLag();
    let seenMs = 0;
    while (seenMs < 50) {
      await systemClock.sleep(110);
      const until = systemClock.monotonic() + 300;
      while (systemClock.monotonic() < until);
      await systemClock.sleep(10);
      seenMs = lag.takeP99Ms();
    }
    expect(seenMs).toBeGreaterThanOrEqual(50);
    expect(lag.takeP99Ms()).toBe(0);
  });
});
