import type { Clock } from '../../../lib/clock.ts';
import type { Wake } from '../../../lib/wake.ts';
import type { Wakes } from '../../context.ts';

/** Wakes where nothing can be raised from one request to another: whoever waits looks again every `pollMs`. */
export function createPollingWakes(clock: Clock, pollMs: number): Wakes {
  const wake: Wake = { raise: () => undefined, wait: (signal) => clock.sleep(pollMs, signal) };
  return { reconcile: wake, events: wake, node: () => wake };
}
