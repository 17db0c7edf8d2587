/** Lets pieces of work under one name go one after the other. */
export interface Turns {
  run<T>(name: string, work: () => Promise<T>): Promise<T>;
  /** Those under which something is done or waits. */
  names(): string[];
}

export function createTurns(): Turns {
  const last = new Map<string, Promise<unknown>>();
  return {
    names: () => [...last.keys()],
    async run(name, work) {
      const before = last.get(name) ?? Promise.resolve();
      const mine = before.then(work, work);
      last.set(name, mine);
      try {
        return await mine;
      } finally {
        if (last.get(name) === mine) last.delete(name);
      }
    },
  };
}
