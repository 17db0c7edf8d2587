/** A level that one side raises and the other waits for; raising it twice before a wait counts once. */
export interface Wake {
  /** Raises the level and lets the waiter go on. */
  raise(): void;
  /** Lowers the level and returns, at once when it is up. Rejects with the signal's reason. */
  wait(signal: AbortSignal): Promise<void>;
}

export function createWake(): Wake {
  let raised = false;
  const waiters = new Set<() => void>();
  return {
    raise() {
      raised = true;
      for (const go of waiters) go();
    },
    wait(signal) {
      return new Promise((resolve, reject) => {
        if (signal.aborted) {
          reject(signal.reason);
          return;
        }
        const settle = (then: () => void): void => {
          waiters.delete(go);
          signal.removeEventListener('abort', onAbort);
          then();
        };
        const go = (): void => {
          raised = false;
          settle(resolve);
        };
        const onAbort = (): void => settle(() => reject(signal.reason));
        if (raised) {
          go();
          return;
        }
        waiters.add(go);
        signal.addEventListener('abort', onAbort, { once: true });
      });
    },
  };
}
