import type { Wake } from '../../lib/wake.ts';

/** What readers of this process know of a log that is being written. */
export interface LogProgress {
  /** This much of `log` is whole records that will not change. */
  fileBytes: number;
  /** Nothing will be added any more. */
  closed: boolean;
  /** Raises `wake` whenever one of the two has changed, until the answer is called. */
  watch(wake: Wake): () => void;
}

/** The writer's side. */
export interface LogProgressSetter extends LogProgress {
  set(change: Partial<Pick<LogProgress, 'fileBytes' | 'closed'>>): void;
}

export function createLogProgress(): LogProgressSetter {
  const wakes = new Set<Wake>();
  const progress: LogProgressSetter = {
    fileBytes: 0,
    closed: false,
    watch(wake) {
      wakes.add(wake);
      return () => wakes.delete(wake);
    },
    set(change) {
      Object.assign(progress, change);
      for (const wake of wakes) wake.raise();
    },
  };
  return progress;
}
