import { describe, expect, it } from 'vitest';
import { createHostClock } from '../../../src/runner/time/host-clock.ts';
import { createManualClock } from '../../support/manual-clock.ts';

const hostStartMs = 1_700_000_000_000;
const hourMs = 3_600_000;

/** A Host whose time goes with the monotonic clock of the test, and a node whose wall clock is elsewhere. */
function setUp(wallAheadMs: number) {
  const clock = createManualClock(hostStartMs + wallAheadMs);
  const zeroMs = clock.monotonic();
  return { clock, hostClock: createHostClock(clock), hostMs: () => hostStartMs + clock.monotonic() - zeroMs };
}

describe("the Host's time on a node", () => {
  it("is the node's own until the Host has said it", () => {
    const { clock, hostClock } = setUp(hourMs);
    expect(hostClock.now()).toBe(clock.now());
  });

  it.each([-hourMs, 0, hourMs])('is right after one answer with a wall clock that is %i ms off', async (offMs) => {
    const { clock, hostClock, hostMs } = setUp(offMs);
    hostClock.learn(hostMs(), clock.monotonic());
    expect(hostClock.now()).toBe(hostMs());
    await clock.advance(12_345);
    expect(hostClock.now()).toBe(hostMs());
  });

  it('does not move when the wall clock is set', () => {
    const { clock, hostClock, hostMs } = setUp(0);
    hostClock.learn(hostMs(), clock.monotonic());
    for (const ms of [hourMs, -2 * hourMs, 5 * hourMs]) {
      clock.jumpWall(ms);
      expect(hostClock.now()).toBe(hostMs());
    }
  });

  it('reckons with half of the way there and back', async () => {
    const { clock, hostClock, hostMs } = setUp(0);
    const sentMs = clock.monotonic();
    await clock.advance(200);
    const writtenMs = hostMs();
    await clock.advance(200);
    hostClock.learn(writtenMs, sentMs);
    expect(hostClock.now()).toBe(hostMs());
  });

  it('is off by half a second at most for a call that was held for long', async () => {
    const { clock, hostClock, hostMs } = setUp(0);
    const sentMs = clock.monotonic();
    await clock.advance(20_000);
    hostClock.learn(hostMs(), sentMs);
    expect(Math.abs(hostClock.now() - hostMs())).toBeLessThanOrEqual(500);
  });

  it('is not moved by a held call once a quick one has told how long the way is', async () => {
    const { clock, hostClock, hostMs } = setUp(0);
    hostClock.learn(hostMs(), clock.monotonic());
    const sentMs = clock.monotonic();
    await clock.advance(20_000);
    hostClock.learn(hostMs(), sentMs);
    expect(hostClock.now()).toBe(hostMs());
  });

  it('of an instant of the wall clock counts back from now', async () => {
    const { clock, hostClock, hostMs } = setUp(hourMs);
    hostClock.learn(hostMs(), clock.monotonic());
    const [wallMs, thenMs] = [clock.now(), hostMs()];
    await clock.advance(7000);
    expect(hostClock.fromWall(wallMs)).toBe(thenMs);
  });
});

describe('before the Host has said the time', () => {
  it('an instant that both clocks know tells how far they are apart', async () => {
    const { clock, hostClock, hostMs } = setUp(-hourMs);
    const [wallMs, thenMs] = [clock.now(), hostMs()];
    await clock.advance(5000);
    hostClock.assume(thenMs, wallMs);
    expect(hostClock.now()).toBe(hostMs());
  });

  it('and afterwards it tells nothing more', async () => {
    const { clock, hostClock, hostMs } = setUp(0);
    hostClock.learn(hostMs(), clock.monotonic());
    hostClock.assume(hostMs() - hourMs, clock.now());
    expect(hostClock.now()).toBe(hostMs());
  });
});
