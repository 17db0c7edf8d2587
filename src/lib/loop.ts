import type { Clock } from './clock.ts';
import { isAbort } from './abort.ts';
import type { Logger } from './logger.ts';
import type { Wake } from './wake.ts';

export interface LoopOptions {
  name: string;
  clock: Clock;
  log: Logger;
  wake: Wake;
  /** A pass is made at least this often. */
  intervalMs: number;
  /** Rest after a pass that threw. */
  retryMs: number;
}

/**
 * Calls `pass` whenever the wake is raised or the interval is over, one at a time, until the signal aborts.
 * A pass takes no input: it reads the stored truth and works off the difference. A pass may answer in how many
 * milliseconds it wants to be called again. What it throws is logged; the next pass is the retry.
 */
export async function runLoop(
  options: LoopOptions,
  pass: (signal: AbortSignal) => Promise<number | void>,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    let restMs = options.intervalMs;
    try {
      restMs = Math.min((await pass(signal)) ?? restMs, restMs);
    } catch (error) {
      if (signal.aborted) return;
      options.log.error({ err: error, loop: options.name }, 'a pass failed and will be made again');
      restMs = options.retryMs;
    }
    await rest(options, restMs, signal);
  }
}

async function rest(options: LoopOptions, restMs: number, signal: AbortSignal): Promise<void> {
  const over = new AbortController();
  const either = AbortSignal.any([signal, over.signal]);
  try {
    await Promise.race([options.wake.wait(either), options.clock.sleep(restMs, either)]);
  } catch (error) {
    if (!isAbort(error, signal)) throw error;
  } finally {
    over.abort();
  }
}
