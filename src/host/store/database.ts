import type { Client, ResultSet, Transaction as ClientTransaction } from '@libsql/client';
import type { BatchItem } from 'drizzle-orm/batch';
import { LibSQLDatabase } from 'drizzle-orm/libsql/driver-core';
import { LibSQLSession, LibSQLTransaction, type LibSQLPreparedQuery } from 'drizzle-orm/libsql/session';
import type { ExtractTablesWithRelations } from 'drizzle-orm/relations';
import { SQLiteAsyncDialect, type PreparedQueryConfig, type SQLiteTransaction } from 'drizzle-orm/sqlite-core';
import { StoreError, toStoreError } from './store-error.ts';

type NoRelations = Record<string, never>;
type NoTables = ExtractTablesWithRelations<NoRelations>;

/** Statements prepared here must not run inside a transaction (StoreError `NESTED_TRANSACTION`). */
export type Database = LibSQLDatabase<NoRelations> & {
  /** Whether the calling code runs inside a transaction of this database. */
  insideTransaction(): boolean;
};

/** What writers that must be atomic take. Nested `transaction` calls are savepoints. */
export type Transaction = SQLiteTransaction<'async', ResultSet, NoRelations, NoTables>;

/** What readers take. */
export type Queryable = Database | Transaction;

/** Knows which code runs inside a transaction; made by the platform (AsyncLocalStorage). */
export interface TransactionScope {
  inside(): boolean;
  run<T>(work: () => Promise<T>): Promise<T>;
}

interface SessionParts {
  client: Client;
  dialect: SQLiteAsyncDialect;
  scope: TransactionScope;
}

/**
 * drizzle over any libSQL client. Differs from `drizzle({ client })` in two ways: every error is a
 * StoreError, without bound values, and a transaction inside a transaction is refused, not awaited.
 */
export function createDatabase(client: Client, scope: TransactionScope): Database {
  const dialect = new SQLiteAsyncDialect();
  const session = new StoreSession({ client, dialect, scope });
  const db = new LibSQLDatabase<NoRelations>('async', dialect, session, undefined);
  return Object.assign(db, { insideTransaction: () => scope.inside() });
}

class StoreSession extends LibSQLSession<NoRelations, NoTables> {
  readonly #parts: SessionParts;

  constructor(parts: SessionParts, tx?: ClientTransaction) {
    super(parts.client, parts.dialect, undefined, {}, tx);
    this.#parts = parts;
  }

  override prepareQuery<T extends Omit<PreparedQueryConfig, 'run'>>(
    ...args: Parameters<LibSQLSession<NoRelations, NoTables>['prepareQuery']>
  ): LibSQLPreparedQuery<T> {
    return Object.assign(super.prepareQuery<T>(...args), { queryWithCache });
  }

  override async batch<T extends BatchItem<'sqlite'>[] | readonly BatchItem<'sqlite'>[]>(
    queries: T,
  ): Promise<unknown[]> {
    try {
      return await super.batch(queries);
    } catch (error) {
      throw toStoreError(error);
    }
  }

  override async transaction<T>(work: (tx: Transaction) => T | Promise<T>): Promise<T> {
    const { client, dialect, scope } = this.#parts;
    if (scope.inside()) {
      throw new StoreError('NESTED_TRANSACTION', 'code inside a transaction began another one: use the one at hand');
    }
    const begun = await begin(client);
    const tx = new LibSQLTransaction<NoRelations, NoTables>(
      'async',
      dialect,
      new StoreSession(this.#parts, begun),
      undefined,
    );
    try {
      const result = await scope.run(async () => work(tx));
      await begun.commit();
      return result;
    } catch (error) {
      await begun.rollback();
      throw toStoreError(error);
    }
  }
}

async function begin(client: Client): Promise<ClientTransaction> {
  try {
    return await client.transaction('write');
  } catch (error) {
    throw toStoreError(error);
  }
}

/** Stands in for drizzle's, which wraps each error in a DrizzleQueryError with the values in it. */
async function queryWithCache(_sql: string, params: unknown[], query: () => Promise<ResultSet>): Promise<ResultSet> {
  try {
    return await query();
  } catch (error) {
    throw toStoreError(error, params);
  }
}
