/** A queue from events to one reader. When the reader is too slow, all that waits gives way to one `overflow`. */
export interface Channel<T> {
  push(item: T): void;
  /** What waits now and later, until `close`. */
  read(): AsyncGenerator<T>;
  close(): void;
}

export function createChannel<T>(options: { most: number; overflow: T }): Channel<T> {
  let items: T[] = [];
  let closed = false;
  let wake = (): void => undefined;
  return {
    push(item) {
      items = items.length >= options.most ? [options.overflow] : items;
      items.push(item);
      wake();
    },
    async *read() {
      for (;;) {
        const now = items;
        items = [];
        yield* now;
        if (items.length > 0) continue;
        if (closed) return;
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    },
    close() {
      closed = true;
      wake();
    },
  };
}
