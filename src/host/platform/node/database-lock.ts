import Libsql from 'libsql';
import { StoreError } from '../../store/store-error.ts';

/**
 * Holds `<path>.lock` for this process: an exclusive transaction on a second, empty database, which
 * the kernel ends with the process. Never open that file by other means in the same process: closing
 * any descriptor of it drops the lock (fcntl(2)).
 * Throws a StoreError `DATABASE_LOCKED` when another opener has it.
 */
export function lockDatabase(path: string): Disposable {
  const file = `${path}.lock`;
  const database = new Libsql(file);
  try {
    database.exec('begin exclusive');
  } catch (error) {
    database.close();
    if (!(error instanceof Libsql.SqliteError) || !error.code.startsWith('SQLITE_BUSY')) throw error;
    throw new StoreError(
      'DATABASE_LOCKED',
      `${path} is in use by another process, which holds ${file}: stop that one, or choose another data folder`,
    );
  }
  return {
    [Symbol.dispose]: () => {
      if (!database.open) return;
      database.exec('rollback');
      database.close();
    },
  };
}
