import type { Clock } from '../../lib/clock.ts';

/** Host time as a Runner reckons it: its own monotonic clock and an offset from the Host's last answer. */
export interface HostClock {
  /** ms since 1970 by the Host's clock; this machine's wall clock until the first answer. */
  now(): number;
  /** An answer said `hostTimeMs`; the request was sent at `sentMs` by the monotonic clock. */
  learn(hostTimeMs: number, sentMs: number): void;
  /**
   * Until the Host has said the time: an instant that was `hostMs` there was `wallMs` here. What happened after it is
   * then as long ago as this machine's wall clock says, wherever that stands.
   */
  assume(hostMs: number, wallMs: number): void;
  /** Host time of an instant of this machine's wall clock, good while that has not jumped since. */
  fromWall(wallMs: number): number;
}

/** There and back, before any call has told. */
const longestWayMs = 1000;

export function createHostClock(clock: Clock): HostClock {
  let offsetMs = clock.now() - clock.monotonic();
  let told = false;
  let shortestMs = longestWayMs;
  const now = (): number => Math.round(clock.monotonic() + offsetMs);
  return {
    now,
    learn(hostTimeMs, sentMs) {
      told = true;
      const receivedMs = clock.monotonic();
      // An answer is on its way for half of the shortest call that there was; a held call says nothing of that.
      shortestMs = Math.min(shortestMs, receivedMs - sentMs);
      offsetMs = hostTimeMs + shortestMs / 2 - receivedMs;
    },
    assume(hostMs, wallMs) {
      if (!told) offsetMs = clock.now() - clock.monotonic() + hostMs - wallMs;
    },
    fromWall: (wallMs) => Math.round(now() - (clock.now() - wallMs)),
  };
}
