import type { Clock } from '../../lib/clock.ts';

interface InterruptOptions {
  clock: Clock;
  onInterrupt(listener: () => void): () => void;
  /** How long after the first Ctrl-C the second one still kills. */
  windowMs: number;
  /** The first: told at once. Answers whether there is anything to kill yet. */
  onFirst(): 'killable' | 'nothing yet';
  /** The window is over, or there is nothing to kill, or the third. */
  leave(): void;
  /** The second, within the window. */
  kill(): void;
}

/** Ctrl-C detaches, twice kills, a third time leaves without waiting for the end. */
export function handleInterrupts(options: InterruptOptions): Disposable {
  const over = new AbortController();
  let presses = 0;
  const windowOver = (): void => {
    if (presses === 1) options.leave();
  };
  const off = options.onInterrupt(() => {
    presses += 1;
    if (presses === 2) options.kill();
    if (presses > 2 || (presses === 1 && options.onFirst() === 'nothing yet')) options.leave();
    if (presses === 1) options.clock.sleep(options.windowMs, over.signal).then(windowOver, () => undefined);
  });
  return {
    [Symbol.dispose]: () => {
      off();
      over.abort();
    },
  };
}
