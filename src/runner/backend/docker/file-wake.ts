import { watch } from 'node:fs';
import type { Clock } from '../../../lib/clock.ts';

/** Waits for a file to grow, with a slow look besides: where watches run out, that alone is left. */
export interface FileWake {
  /** Returns at a change of the file, at `raise`, or after the poll's time; the answer says which. */
  wait(signal: AbortSignal): Promise<'changed' | 'raised' | 'poll'>;
  raise(): void;
  close(): void;
}

export function createFileWake(path: string, options: { clock: Clock; pollMs: number }): FileWake {
  let pending: 'changed' | 'raised' | null = null;
  let go = (): void => undefined;
  const note = (what: 'changed' | 'raised'): void => {
    if (pending !== 'raised') pending = what;
    go();
  };
  const watcher = startWatcher(path, () => note('changed'));
  const take = (): 'changed' | 'raised' | null => {
    const now = pending;
    pending = null;
    return now;
  };
  return {
    async wait(signal) {
      const already = take();
      if (already !== null) return already;
      const over = new AbortController();
      const changed = new Promise<void>((resolve) => {
        go = resolve;
      });
      try {
        await Promise.race([changed, options.clock.sleep(options.pollMs, AbortSignal.any([signal, over.signal]))]);
      } finally {
        over.abort();
      }
      return take() ?? 'poll';
    },
    raise: () => note('raised'),
    close: () => watcher?.close(),
  };
}

function startWatcher(path: string, onChange: () => void): { close(): void } | null {
  try {
    const watcher = watch(path, { persistent: false }, onChange);
    // A watch that fails later leaves the poll.
    watcher.on('error', () => watcher.close());
    return watcher;
  } catch {
    return null;
  }
}
