import { setMaxListeners } from 'node:events';
import { abortable } from '../../../lib/abort.ts';

/** Lets `most` pieces of work run at a time; the rest wait their turn in order. */
export interface Limiter {
  run<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T>;
}

export function createLimiter(most: number): Limiter {
  let running = 0;
  const queue: (() => void)[] = [];
  const turn = (): Promise<void> =>
    new Promise((resolve) => {
      queue.push(resolve);
      admit();
    });
  const admit = (): void => {
    if (running >= most) return;
    const next = queue.shift();
    if (next === undefined) return;
    running += 1;
    next();
  };
  const release = (): void => {
    running -= 1;
    admit();
  };
  return {
    async run(work, signal) {
      // As many as like may wait on one signal.
      setMaxListeners(0, signal);
      const mine = turn();
      try {
        await abortable(mine, signal);
      } catch (error) {
        // Its turn still comes; nobody takes it.
        void mine.then(release);
        throw error;
      }
      try {
        return await work();
      } finally {
        release();
      }
    },
  };
}
