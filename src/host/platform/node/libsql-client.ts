import type { Client, InStatement, ResultSet, Value } from '@libsql/client';
import type { TransactionScope } from '../../store/database.ts';
import { StoreError } from '../../store/store-error.ts';
import { openAccess, type FileAccess } from './libsql-access.ts';
import type { Connection } from './libsql-connection.ts';
import { atomically, beginTransaction, toStatement } from './libsql-transaction.ts';

export interface FileClient extends Client {
  /** Moves the whole WAL into the database file and empties it. False when a reader was in the way. */
  checkpoint(): Promise<boolean>;
}

/**
 * The `Client` of `@libsql/client` over one file: one connection that writes and one that only
 * reads, so that a read never waits for a transaction. A batch of reads sees one snapshot; every
 * other batch and every transaction begins IMMEDIATE.
 */
export function createFileClient(path: string, scope: TransactionScope): FileClient {
  const access = openAccess(path, scope);
  return {
    protocol: 'file',
    get closed() {
      return access.closed;
    },
    execute: async (...given: [InStatement, Parameters<typeof toStatement>[1]?]) => {
      const { sql, args } = toStatement(...given);
      if (isRead(sql)) return access.read((reader) => reader.run(sql, args));
      const result = await access.write((writer) => writer.run(sql, args));
      if (/^\s*(?:create|alter|drop)\b/i.test(sql)) access.schemaChanged();
      return result;
    },
    batch: async (list) => {
      const statements = list.map((s) => (Array.isArray(s) ? toStatement(...s) : toStatement(s)));
      const runAll = (on: Connection) => () => statements.map((s) => on.run(s.sql, s.args));
      if (statements.every((s) => isRead(s.sql))) {
        return access.read((reader) => atomically(reader, 'begin', runAll(reader)));
      }
      return access.write((writer) => atomically(writer, 'begin immediate', runAll(writer)));
    },
    migrate: (statements) => migrate(access, statements),
    transaction: async () => {
      const { writer, release } = await access.acquire();
      return beginTransaction(writer, release);
    },
    executeMultiple: async (sql) => {
      await access.write((writer) => writer.exec(sql));
      access.schemaChanged();
    },
    checkpoint: () => access.write((writer) => writer.run('pragma wal_checkpoint(truncate)').rows[0]?.[0] === 0),
    sync: async () => undefined,
    close: access.close,
    reconnect: access.reopen,
  };
}

/** `pragma foreign_keys` does nothing inside a transaction, and a rebuilt table must not cascade. */
async function migrate(access: FileAccess, list: InStatement[]): Promise<ResultSet[]> {
  const statements = list.map((statement) => toStatement(statement));
  const results = await access.write((writer) => {
    writer.exec('pragma foreign_keys=off');
    try {
      return atomically(writer, 'begin immediate', () => {
        const made = statements.map(({ sql, args }) => writer.run(sql, args));
        assertNoOrphans(writer);
        return made;
      });
    } finally {
      writer.exec('pragma foreign_keys=on');
    }
  });
  access.schemaChanged();
  return results;
}

function assertNoOrphans(writer: Connection): void {
  const { rows } = writer.run('select "table", parent from pragma_foreign_key_check limit 1');
  const [broken] = rows;
  if (!broken) return;
  throw new StoreError(
    'SQLITE_CONSTRAINT_FOREIGNKEY',
    `rows of ${text(broken[0])} would refer to rows of ${text(broken[1])} that are not there`,
  );
}

function text(value: Value | undefined): string {
  return typeof value === 'string' ? value : '';
}

/** In doubt a statement is a write: the writer can read. */
function isRead(sql: string): boolean {
  if (/^\s*(?:select|values|explain)\b/i.test(sql)) return true;
  return /^\s*with\b/i.test(sql) && !/\b(?:insert|update|delete|replace)\b/i.test(sql);
}
