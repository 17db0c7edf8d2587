import type { Database } from '../../store/database.ts';
import type { Writes } from '../../store/writes.ts';

/**
 * Each write in a transaction of its own: requests of a worker share no promises, since one that goes away would take
 * the commit of the others along.
 */
export function createSingleWrites(db: Database): Writes {
  const nothing = async (): Promise<void> => undefined;
  return {
    run: (write) => db.transaction(async (tx) => write(tx)),
    drain: nothing,
    close: nothing,
    [Symbol.asyncDispose]: nothing,
  };
}
