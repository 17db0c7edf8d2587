import Libsql from 'libsql';
import type { InArgs, ResultSet } from '@libsql/client';
import { bindArgs, readResult, readValues, rowMaker, writeResult } from './libsql-values.ts';

/** One synchronous connection to a database file. Errors are those of the binding. */
export interface Connection {
  run(sql: string, args?: InArgs): ResultSet;
  /** Several statements, without arguments. */
  exec(sql: string): void;
  /** False on a closed connection. */
  inTransaction(): boolean;
  /** Forgets the prepared statements. */
  forget(): void;
  reopen(): void;
  close(): void;
}

type Run = (args: unknown[] | Record<string, unknown>) => ResultSet;

const maxStatements = 256;

/**
 * Opens `path` and sets `pragmas` on it, now and whenever it is opened again. After SQLITE_BUSY a
 * connection of the binding answers wrongly (tursodatabase/libsql-js#237): it is replaced before the
 * error leaves.
 */
export function openConnection(path: string, pragmas: readonly string[]): Connection {
  let database = open(path, pragmas);
  const statements = new Map<string, Run>();

  const reopen = (): void => {
    statements.clear();
    if (database.open) database.close();
    database = open(path, pragmas);
  };
  const guarded = <T>(work: () => T): T => {
    // The last attempt to reopen may have found the file locked.
    if (!database.open) reopen();
    try {
      return work();
    } catch (error) {
      if (isBusy(error)) reopen();
      throw error;
    }
  };
  /** Least recently used first. */
  const statement = (sql: string): Run => {
    const known = statements.get(sql);
    const run = known ?? prepare(database, sql);
    if (known) statements.delete(sql);
    statements.set(sql, run);
    if (statements.size > maxStatements) {
      for (const oldest of statements.keys()) {
        statements.delete(oldest);
        break;
      }
    }
    return run;
  };

  return {
    run: (sql, args = []) => {
      const bound = bindArgs(args);
      return guarded(() => statement(sql)(bound));
    },
    exec: (sql) => {
      guarded(() => database.exec(sql));
    },
    // The binding aborts the process when a closed connection is asked.
    inTransaction: () => database.open && database.inTransaction,
    forget: () => statements.clear(),
    reopen,
    close: () => {
      statements.clear();
      if (database.open) database.close();
    },
  };
}

function open(path: string, pragmas: readonly string[]): Libsql.Database {
  const database = new Libsql(path);
  try {
    for (const pragma of pragmas) database.exec(`pragma ${pragma}`);
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

function prepare(database: Libsql.Database, sql: string): Run {
  const statement = database.prepare(sql);
  statement.safeIntegers(true);
  // Also true for INSERT … RETURNING, of which `run` would drop the rows.
  if (!statement.reader) {
    return (args) => {
      const { changes, lastInsertRowid } = statement.run(args);
      return writeResult(changes, BigInt(lastInsertRowid));
    };
  }
  statement.raw(true);
  const columns = statement.columns().map((column) => column.name);
  const columnTypes = statement.columns().map((column) => column.type ?? '');
  const makeRow = rowMaker(columns);
  return (args) => {
    const rows = (statement.all(args) as unknown[][]).map((values) => makeRow(readValues(values)));
    return readResult(columns, columnTypes, rows);
  };
}

function isBusy(error: unknown): boolean {
  return error instanceof Error && 'code' in error && String(error.code).startsWith('SQLITE_BUSY');
}
