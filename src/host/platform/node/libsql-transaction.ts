import type { InArgs, InStatement, ResultSet, Transaction } from '@libsql/client';
import { StoreError } from '../../store/store-error.ts';
import type { Connection } from './libsql-connection.ts';

export function toStatement(statement: InStatement, args?: InArgs): { sql: string; args: InArgs } {
  if (typeof statement === 'string') return { sql: statement, args: args ?? [] };
  return { sql: statement.sql, args: statement.args ?? [] };
}

/** Runs `work` between `begin` and commit in one go of the loop. */
export function atomically<T>(on: Connection, begin: string, work: () => T): T {
  on.exec(begin);
  try {
    const result = work();
    on.exec('commit');
    return result;
  } catch (error) {
    if (on.inTransaction()) on.exec('rollback');
    throw error;
  }
}

/** The caller holds the write lock; `release` gives it back, once, however the transaction ends. */
export function beginTransaction(writer: Connection, release: () => void): Transaction {
  const { isOpen, assertOpen, commit, rollback } = begin(writer, release);
  const execute = (statement: InStatement, args?: InArgs): ResultSet => {
    assertOpen();
    const { sql, args: bound } = toStatement(statement, args);
    return writer.run(sql, bound);
  };
  return {
    get closed() {
      return !isOpen();
    },
    execute: async (...given: [InStatement, InArgs?]) => execute(...given),
    batch: async (statements) => statements.map((statement) => execute(statement)),
    executeMultiple: async (sql) => {
      assertOpen();
      writer.exec(sql);
    },
    commit: async () => commit(),
    rollback: async () => rollback(),
    close: rollback,
  };
}

function begin(writer: Connection, release: () => void) {
  let open = true;
  const finish = (): void => {
    open = false;
    try {
      if (writer.inTransaction()) writer.exec('rollback');
    } finally {
      release();
    }
  };
  const assertOpen = (): void => {
    // SQLite rolls back by itself when the disk is full: what came after would commit by itself.
    if (open && writer.inTransaction()) return;
    throw new StoreError('TRANSACTION_CLOSED', 'the transaction has ended');
  };
  const commit = (): void => {
    if (!open) assertOpen();
    try {
      assertOpen();
      writer.run('commit');
    } finally {
      finish();
    }
  };
  const rollback = (): void => {
    if (open) finish();
  };

  try {
    writer.run('begin immediate');
  } catch (error) {
    release();
    throw error;
  }
  return { isOpen: () => open, assertOpen, commit, rollback };
}
