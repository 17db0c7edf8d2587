import { createClient } from '@libsql/client';
import { eq, sql } from 'drizzle-orm';
import { integer, sqliteTable, text } from 'drizzle-orm/sqlite-core';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createTransactionScope } from '../../../src/host/platform/node/transaction-scope.ts';
import { createDatabase } from '../../../src/host/store/database.ts';
import { prepared } from '../../../src/host/store/prepared.ts';
import { isUniqueViolation, StoreError } from '../../../src/host/store/store-error.ts';
import { openTestDatabase, type TestDatabase } from '../../support/database.ts';

const things = sqliteTable('things', {
  id: integer().primaryKey(),
  name: text().unique(),
  data: text({ mode: 'json' }).$type<{ a: number }>(),
});

let test: TestDatabase;

beforeEach(async () => {
  test = await openTestDatabase();
  await test.client.execute('create table things (id integer primary key, name text unique, data text)');
});

afterEach(() => test[Symbol.asyncDispose]());

const nested = { code: 'NESTED_TRANSACTION' };

describe('drizzle over the own driver', () => {
  it('maps rows, JSON and RETURNING', async () => {
    const [made] = await test.db
      .insert(things)
      .values({ name: 'a', data: { a: 1 } })
      .returning();
    expect(made).toEqual({ id: 1, name: 'a', data: { a: 1 } });
    expect(await test.db.select({ data: things.data }).from(things)).toEqual([{ data: { a: 1 } }]);
    const { rowsAffected } = await test.db.update(things).set({ name: 'b' }).where(eq(things.id, 1));
    expect(rowsAffected).toBe(1);
  });

  it('a nested transaction is a savepoint', async () => {
    await test.db.transaction(async (tx) => {
      await tx.insert(things).values({ name: 'kept' });
      const undone = tx.transaction(async (inner) => {
        await inner.insert(things).values({ name: 'undone' });
        throw new Error('no');
      });
      await expect(undone).rejects.toThrow('no');
    });
    expect(await test.db.select({ name: things.name }).from(things)).toEqual([{ name: 'kept' }]);
  });

  it('a batch of reads is one snapshot', async () => {
    await test.db.insert(things).values({ name: 'a' });
    const [rows, counted] = await test.db.batch([
      test.db.select({ name: things.name }).from(things),
      test.db.select({ n: sql<number>`count(*)` }).from(things),
    ]);
    expect([rows, counted]).toEqual([[{ name: 'a' }], [{ n: 1 }]]);
  });
});

describe('inside a transaction', () => {
  it('writing through the database is refused at once, and the transaction goes on', async () => {
    const onDatabase = test.db
      .insert(things)
      .values({ name: sql.placeholder('name') })
      .prepare();
    await test.db.transaction(async (tx) => {
      await expect(test.db.insert(things).values({ name: 'x' })).rejects.toMatchObject(nested);
      await expect(onDatabase.run({ name: 'x' })).rejects.toMatchObject(nested);
      await expect(test.db.transaction(async () => 1)).rejects.toMatchObject(nested);
      await expect(test.db.batch([test.db.delete(things)])).rejects.toMatchObject(nested);
      await expect(test.writes.run(async () => 1)).rejects.toMatchObject(nested);
      await tx.insert(things).values({ name: 'kept' });
    });
    expect(await test.db.$count(things)).toBe(1);
  });

  it('reading through the database shows what was committed before', async () => {
    await test.db.transaction(async (tx) => {
      await tx.insert(things).values({ name: 'a' });
      expect(await test.db.$count(things)).toBe(0);
      expect(await tx.$count(things)).toBe(1);
    });
  });

  it('others who are not inside wait for their turn', async () => {
    const both = await Promise.all(
      ['a', 'b'].map((name) =>
        test.db.transaction(async (tx) => {
          await tx.insert(things).values({ name });
          return tx.$count(things);
        }),
      ),
    );
    expect(both).toEqual([1, 2]);
  });

  it('work that outlives the transaction may write afterwards', async () => {
    let letGo = (): void => undefined;
    const over = new Promise<void>((resolve) => (letGo = resolve));
    const later = await test.db.transaction(async () => ({
      written: over.then(() => test.db.insert(things).values({ name: 'later' })),
    }));
    letGo();
    await later.written;
    expect(await test.db.$count(things)).toBe(1);
  });
});

describe('over the stock client, as for a server', () => {
  it('transactions nest as savepoints, are refused inside each other, and errors are clean', async () => {
    const client = createClient({ url: `file:${test.path}` });
    const db = createDatabase(client, createTransactionScope());
    await db.transaction(async (tx) => {
      await expect(db.transaction(async () => 1)).rejects.toMatchObject(nested);
      await tx.transaction((inner) => inner.insert(things).values({ name: 'a' }));
      const again = tx.transaction((inner) => inner.insert(things).values({ name: 'a' }));
      await expect(again).rejects.toMatchObject({
        name: 'StoreError',
        code: 'SQLITE_CONSTRAINT_UNIQUE',
      });
    });
    expect(await db.$count(things)).toBe(1);
    client.close();
  });
});

describe('errors', () => {
  const canary = 'canary-7f3a';

  async function caught(work: () => PromiseLike<unknown>): Promise<unknown> {
    try {
      await work();
    } catch (error) {
      return error;
    }
    throw new Error('nothing was thrown');
  }

  function everything(error: unknown): string {
    if (!(error instanceof Error)) return String(error);
    const own = Object.getOwnPropertyNames(error).map((key) => String(Reflect.get(error, key)));
    return [error.toString(), JSON.stringify(error), ...own, everything(error.cause)].join('\n');
  }

  it.each([
    ['an insert', () => test.db.insert(things).values({ name: canary }), 'SQLITE_CONSTRAINT_UNIQUE'],
    [
      'a select',
      () =>
        test.db
          .select()
          .from(things)
          .where(sql`json_extract('{}', ${canary}) = 1`),
      'SQLITE_ERROR',
    ],
    ['raw SQL', () => test.db.run(sql`insert into nowhere values (${canary})`), 'SQLITE_ERROR'],
    [
      'a prepared statement',
      () =>
        test.db
          .insert(things)
          .values({ name: sql.placeholder('n') })
          .prepare()
          .run({ n: canary }),
      'SQLITE_CONSTRAINT_UNIQUE',
    ],
    [
      'a transaction',
      () => test.db.transaction((tx) => tx.insert(things).values({ name: canary })),
      'SQLITE_CONSTRAINT_UNIQUE',
    ],
    ['a batch', () => test.db.batch([test.db.insert(things).values({ name: canary })]), 'SQLITE_CONSTRAINT_UNIQUE'],
    ['a write', () => test.writes.run((tx) => tx.insert(things).values({ name: canary })), 'SQLITE_CONSTRAINT_UNIQUE'],
  ])('of %s carry a code and no bound value', async (_name, work, code) => {
    await test.db.insert(things).values({ name: canary });
    const error = await caught(work);
    expect(error).toBeInstanceOf(StoreError);
    expect(error).toMatchObject({ code });
    expect(everything(error)).not.toContain(canary);
    expect(isUniqueViolation(error)).toBe(code === 'SQLITE_CONSTRAINT_UNIQUE');
  });

  it('say what was wrong', async () => {
    await test.db.insert(things).values({ name: 'a' });
    await expect(test.db.insert(things).values({ name: 'a' })).rejects.toThrow('UNIQUE constraint failed: things.name');
  });

  it('thrown by the code of a transaction pass as they are', async () => {
    const own = Object.assign(new Error('mine'), { cause: new Error('why') });
    expect(await caught(() => test.db.transaction(async () => Promise.reject(own)))).toBe(own);
  });
});

describe('prepared', () => {
  it('builds once per transaction and runs in the one that it is given', async () => {
    let built = 0;
    const insert = prepared((q) => {
      built++;
      return q
        .insert(things)
        .values({ name: sql.placeholder('name') })
        .prepare();
    });
    await test.db.transaction(async (tx) => {
      for (const name of ['a', 'b', 'c']) await insert(tx).run({ name });
    });
    const undone = test.db.transaction(async (tx) => {
      await insert(tx).run({ name: 'd' });
      tx.rollback();
    });
    await expect(undone).rejects.toThrow('Rollback');
    expect(built).toBe(2);
    expect(await test.db.$count(things)).toBe(3);
  });
});
