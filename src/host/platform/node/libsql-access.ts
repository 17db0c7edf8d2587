import type { TransactionScope } from '../../store/database.ts';
import { StoreError } from '../../store/store-error.ts';
import { openConnection, type Connection } from './libsql-connection.ts';
import { createWriteLock } from './write-lock.ts';

/** The two connections to a file, and whose turn it is to write. */
export interface FileAccess {
  readonly closed: boolean;
  /** Never waits. */
  read<T>(work: (reader: Connection) => T): T;
  /** Waits for its turn, then runs `work` in one go of the loop. */
  write<T>(work: (writer: Connection) => T): Promise<T>;
  /** Waits for its turn and keeps it until `release`. */
  acquire(): Promise<{ writer: Connection; release: () => void }>;
  /** To be called after a change of the schema: statements prepared before it have the old columns. */
  schemaChanged(): void;
  close(): void;
  reopen(): void;
}

/** Kept short: a busy wait stops the loop, and under the process lock nobody else should write. */
const busyTimeoutMs = 1_000;

const pragmas = [
  `busy_timeout=${busyTimeoutMs}`,
  'journal_mode=wal',
  'synchronous=full',
  'foreign_keys=on',
  'temp_store=memory',
  'cache_size=-32768',
  `journal_size_limit=${64 * 1024 * 1024}`,
];

/** Rejects with a StoreError `NESTED_TRANSACTION` where waiting for a turn would be for ever. */
export function openAccess(path: string, scope: TransactionScope): FileAccess {
  const writer = openConnection(path, pragmas);
  const reader = openConnection(path, [...pragmas, 'query_only=on']);
  const lock = createWriteLock();
  let closed = false;

  const assertOpen = (): void => {
    if (closed) throw new StoreError('CLIENT_CLOSED', 'the database was closed');
  };
  const acquire: FileAccess['acquire'] = async () => {
    assertOpen();
    assertOutside(scope);
    await lock.acquire();
    if (closed) lock.release();
    assertOpen();
    return { writer, release: lock.release };
  };

  return {
    get closed() {
      return closed;
    },
    read: (work) => {
      assertOpen();
      return work(reader);
    },
    write: async (work) => {
      const { release } = await acquire();
      try {
        return work(writer);
      } finally {
        release();
      }
    },
    acquire,
    schemaChanged: () => {
      writer.forget();
      // Preparing does not look whether the schema at hand is still the stored one; running does.
      reader.reopen();
    },
    close: () => {
      closed = true;
      reader.close();
      writer.close();
    },
    reopen: () => {
      writer.reopen();
      reader.reopen();
      closed = false;
    },
  };
}

function assertOutside(scope: TransactionScope): void {
  if (!scope.inside()) return;
  throw new StoreError(
    'NESTED_TRANSACTION',
    'code inside a transaction wrote through the database instead: it would wait for itself',
  );
}
