/** Lets no more than so many run at a time; the others wait in the order they came. */
export function createSlots(most: number): <T>(run: () => Promise<T>) => Promise<T> {
  const waiting: (() => void)[] = [];
  let taken = 0;
  return async (run) => {
    if (taken >= most) await new Promise<void>((go) => waiting.push(go));
    else taken += 1;
    try {
      return await run();
    } finally {
      const next = waiting.shift();
      if (next) next();
      else taken -= 1;
    }
  };
}
