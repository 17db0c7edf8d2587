/** A mutex of one process, first come first served. */
export interface WriteLock {
  /** Undefined when the lock was free and is now held, else a promise of holding it. */
  acquire(): Promise<void> | undefined;
  /** Hands the lock to the one who has waited longest. */
  release(): void;
}

export function createWriteLock(): WriteLock {
  const waiting: (() => void)[] = [];
  let held = false;
  return {
    acquire: () => {
      if (held) return new Promise((resolve) => waiting.push(resolve));
      held = true;
      return undefined;
    },
    release: () => {
      const next = waiting.shift();
      if (next) next();
      else held = false;
    },
  };
}
