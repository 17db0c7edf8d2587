import type { Client, InArgs, InStatement, ResultSet, Transaction, TransactionMode } from '@libsql/client';

/**
 * A libSQL server's client, for a place where each statement is a round trip: a savepoint is sent along with the
 * statement behind it. Whole numbers are bound as integers, as the embedded database does.
 */
export function createServerClient(client: Client): Client {
  return {
    protocol: client.protocol,
    get closed() {
      return client.closed;
    },
    execute: (...given: [InStatement, InArgs?]) => client.execute(bound(...given)),
    batch: (statements, mode) =>
      client.batch(
        statements.map((one) => (Array.isArray(one) ? bound(...one) : bound(one))),
        mode,
      ),
    migrate: (statements) => client.migrate(statements),
    transaction: async (mode: TransactionMode = 'write') => inFewerTrips(await client.transaction(mode)),
    executeMultiple: (sql) => client.executeMultiple(sql),
    sync: () => client.sync(),
    close: () => client.close(),
    reconnect: () => client.reconnect(),
  };
}

/**
 * Postpones what answers nothing until the next statement that does: savepoints, and inserts that return no rows. An
 * insert that fails says so there, or when its savepoint is released, at the latest at the commit.
 */
function inFewerTrips(tx: Transaction): Transaction {
  const postponed: { sql: string; args: InArgs }[] = [];
  const send = async (statements: readonly { sql: string; args: InArgs }[]): Promise<ResultSet[]> => {
    const before = postponed.splice(0);
    if (before.length + statements.length === 0) return [];
    const results = await tx.batch([...before, ...statements]);
    return results.slice(before.length);
  };
  const execute = async (...given: [InStatement, InArgs?]): Promise<ResultSet> => {
    const statement = bound(...given);
    const { sql } = statement;
    if (/^savepoint\b/i.test(sql) || isSilentInsert(sql) || (/^release\b/i.test(sql) && !postponed.some(isInsert))) {
      postponed.push(statement);
      return nothing;
    }
    // What was postponed since the savepoint is undone unsent.
    if (/^rollback to\b/i.test(sql)) {
      postponed.length = 1 + postponed.findLastIndex((one) => /^savepoint\b/i.test(one.sql));
    }
    const [result] = await send([statement]);
    return result ?? nothing;
  };
  return {
    get closed() {
      return tx.closed;
    },
    execute,
    batch: (statements) => send(statements.map((one) => bound(one))),
    executeMultiple: async (sql) => {
      await send([]);
      await tx.executeMultiple(sql);
    },
    commit: async () => {
      // COMMIT itself releases what is open.
      if (postponed.some(isInsert)) await send([]);
      await tx.commit();
    },
    rollback: () => tx.rollback(),
    close: () => tx.close(),
  };
}

function isInsert({ sql }: { sql: string }): boolean {
  return /^\s*insert\b/i.test(sql);
}

function isSilentInsert(sql: string): boolean {
  return isInsert({ sql }) && !/\breturning\b/i.test(sql);
}

const nothing: ResultSet = {
  columns: [],
  columnTypes: [],
  rows: [],
  get rowsAffected(): number {
    throw new Error('the statement was postponed: ask by RETURNING what it did');
  },
  lastInsertRowid: undefined,
  toJSON: () => ({}),
};

function bound(statement: InStatement, more?: InArgs): { sql: string; args: InArgs } {
  const { sql, args = [] } = typeof statement === 'string' ? { sql: statement, args: more ?? [] } : statement;
  if (Array.isArray(args)) return { sql, args: args.map(whole) };
  return {
    sql,
    args: Object.fromEntries(Object.entries(args).map(([name, value]) => [name, whole(value)])),
  };
}

function whole<T>(value: T): T | bigint {
  return typeof value === 'number' && Number.isSafeInteger(value) ? BigInt(value) : value;
}
