import { rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Client } from '@libsql/client';
import Libsql from 'libsql';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createFileClient, type FileClient } from '../../../../src/host/platform/node/libsql-client.ts';
import { createTransactionScope } from '../../../../src/host/platform/node/transaction-scope.ts';
import { testFolder } from '../../../support/database.ts';

let folder: string;
let path: string;
let client: FileClient;

beforeEach(async () => {
  folder = testFolder();
  path = join(folder, 'x.db');
  client = createFileClient(path, createTransactionScope());
  await client.execute('create table t (id integer primary key, v)');
});

afterEach(() => {
  client.close();
  rmSync(folder, { recursive: true });
});

async function one(from: Pick<Client, 'execute'>, sql: string, args: never[] | unknown[] = []): Promise<unknown> {
  const { rows } = await from.execute({ sql, args: args as never[] });
  return rows[0]?.[0];
}

describe('pragmas', () => {
  it.each([
    ['journal_mode', 'wal'],
    ['synchronous', 2],
    ['foreign_keys', 1],
    ['temp_store', 2],
    ['cache_size', -32768],
    ['journal_size_limit', 67108864],
  ])('%s is set on the writing and on the reading connection', async (pragma, value) => {
    expect(await one(client, `pragma ${pragma}`)).toBe(value);
    expect(await one(client, `select * from pragma_${pragma}`)).toBe(value);
  });

  it('the reading connection cannot write', async () => {
    expect(await one(client, 'select * from pragma_query_only')).toBe(1);
    expect(await one(client, 'pragma query_only')).toBe(0);
  });
});

describe('statements', () => {
  it('RETURNING gives the rows, and changes nothing twice', async () => {
    const { rows } = await client.execute('insert into t (v) values (?), (?) returning id, v', ['a', 'b']);
    expect(rows.map((row) => [row['id'], row['v']])).toEqual([
      [1, 'a'],
      [2, 'b'],
    ]);
    expect(await one(client, 'select count(*) from t')).toBe(2);
  });

  it('counts what an update changed', async () => {
    await client.execute('insert into t (v) values (1), (1), (2)');
    const { rowsAffected } = await client.execute('update t set v = 3 where v = ?', [1]);
    expect(rowsAffected).toBe(2);
  });

  it('a common table expression that writes goes to the writer, one that reads to the reader', async () => {
    await client.execute("with x(v) as (values ('w')) insert into t (v) select v from x");
    expect(await one(client, 'with x as (select v from t) select v from x')).toBe('w');
  });

  it('columns added later are seen by statements prepared before', async () => {
    await client.execute("insert into t (v) values ('a')");
    await client.execute('select * from t');
    await client.execute("alter table t add column w text default 'new'");
    const { rows } = await client.execute('select * from t');
    expect(rows[0]).toMatchObject({ id: 1, v: 'a', w: 'new' });
  });

  it('more kinds of statements than are kept prepared work', async () => {
    for (let n = 0; n < 600; n++) expect(await one(client, `select ${n % 300}`)).toBe(n % 300);
  });
});

describe('batch', () => {
  it('is all or nothing', async () => {
    const both = client.batch(["insert into t values (1, 'a')", "insert into t values (1, 'b')"]);
    await expect(both).rejects.toMatchObject({ code: 'SQLITE_CONSTRAINT_PRIMARYKEY' });
    expect(await one(client, 'select count(*) from t')).toBe(0);
    await client.execute("insert into t values (1, 'c')");
  });

  it('gives the answers in the order of the questions', async () => {
    const results = await client.batch(["insert into t values (7, 'a')", ['select v from t where id = ?', [7]]]);
    expect(results.map((result) => result.rows.length)).toEqual([0, 1]);
  });

  it('of reads does not wait for a transaction', async () => {
    const tx = await client.transaction();
    await tx.execute("insert into t values (1, 'a')");
    const results = await client.batch(['select count(*) from t', 'select max(id) from t']);
    expect(results.map((result) => result.rows[0]?.[0])).toEqual([0, null]);
    await tx.rollback();
  });
});

describe('the write lock', () => {
  it('is given in the order of asking', async () => {
    const order: number[] = [];
    const tx = await client.transaction();
    const later = [1, 2, 3].map(async (n) => {
      await client.execute('insert into t (v) values (?)', [n]);
      order.push(n);
    });
    await tx.execute('insert into t (v) values (0)');
    expect(order).toEqual([]);
    await tx.commit();
    await Promise.all(later);
    expect(order).toEqual([1, 2, 3]);
    const { rows } = await client.execute('select v from t order by id');
    expect(rows.map((row) => row['v'])).toEqual([0, 1, 2, 3]);
  });

  it('sixteen writers in parallel never see SQLITE_BUSY and lose nothing', async () => {
    const writer = async (): Promise<void> => {
      for (let n = 0; n < 20; n++) {
        const tx = await client.transaction();
        const { rows } = await tx.execute('select count(*) as n from t');
        await Promise.resolve();
        const args = [Number(rows[0]?.['n'])];
        await tx.execute({ sql: 'insert into t (v) values (?)', args });
        await tx.commit();
      }
    };
    await Promise.all(Array.from({ length: 16 }, writer));
    expect(await one(client, 'select count(distinct v) from t')).toBe(320);
  });

  it('is given back when the commit fails', async () => {
    await client.execute('create table c (t integer references t (id) deferrable initially deferred)');
    const tx = await client.transaction();
    await tx.execute('insert into c values (99)');
    await expect(tx.commit()).rejects.toMatchObject({ code: 'SQLITE_CONSTRAINT_FOREIGNKEY' });
    await tx.rollback();
    expect(tx.closed).toBe(true);
    await client.execute("insert into t (v) values ('after')");
    expect(await one(client, 'select count(*) from c')).toBe(0);
  });

  it('a transaction that SQLite ended by itself takes no more statements', async () => {
    await client.execute('create table u (k text unique on conflict rollback)');
    const tx = await client.transaction();
    await tx.execute("insert into u values ('a')");
    await expect(tx.execute("insert into u values ('a')")).rejects.toThrow('UNIQUE');
    await expect(tx.execute("insert into u values ('b')")).rejects.toMatchObject({
      code: 'TRANSACTION_CLOSED',
    });
    await expect(tx.commit()).rejects.toMatchObject({ code: 'TRANSACTION_CLOSED' });
    expect(await one(client, 'select count(*) from u')).toBe(0);
    await client.execute("insert into u values ('c')");
  });
});

describe('a foreign writer', () => {
  it('makes a write fail as busy, and the next one works', async () => {
    const other = new Libsql(path);
    other.exec('begin immediate');
    await expect(client.execute("insert into t (v) values ('a')")).rejects.toMatchObject({
      code: 'SQLITE_BUSY',
    });
    other.exec('rollback');
    other.close();
    await client.execute("insert into t (v) values ('b')");
    expect(await one(client, 'select group_concat(v) from t')).toBe('b');
    expect(await one(client, 'pragma synchronous')).toBe(2);
  });
});

describe('migrate', () => {
  const rebuild = [
    'create table t2 (id integer primary key, v text)',
    'insert into t2 select * from t',
    'drop table t',
    'alter table t2 rename to t',
  ];

  it('rebuilds a table without taking the rows that refer to it', async () => {
    await client.executeMultiple('create table c (t integer references t (id) on delete cascade)');
    await client.batch(["insert into t values (1, 'a')", 'insert into c values (1)']);
    await client.migrate(rebuild);
    expect(await one(client, 'select count(*) from c')).toBe(1);
    expect(await one(client, 'pragma foreign_keys')).toBe(1);
  });

  it('changes nothing when rows would refer to nothing', async () => {
    await client.executeMultiple('create table c (t integer references t (id))');
    await client.batch(["insert into t values (1, 'a')", 'insert into c values (1)']);
    await expect(client.migrate(['delete from t'])).rejects.toThrow('rows of c would refer to rows of t');
    expect(await one(client, 'select count(*) from t')).toBe(1);
    expect(await one(client, 'pragma foreign_keys')).toBe(1);
  });
});

describe('the end', () => {
  it('checkpoint empties the WAL', async () => {
    await client.execute("insert into t (v) values ('a')");
    expect(statSync(`${path}-wal`).size).toBeGreaterThan(0);
    expect(await client.checkpoint()).toBe(true);
    expect(statSync(`${path}-wal`).size).toBe(0);
  });

  it('close refuses what waits and what comes, and an open transaction is undone', async () => {
    const tx = await client.transaction();
    await tx.execute("insert into t (v) values ('a')");
    const waiting = client.execute("insert into t (v) values ('b')");
    client.close();
    await expect(tx.execute('select 1')).rejects.toMatchObject({ code: 'TRANSACTION_CLOSED' });
    await tx.rollback();
    await expect(waiting).rejects.toMatchObject({ code: 'CLIENT_CLOSED' });
    await expect(client.execute('select 1')).rejects.toMatchObject({ code: 'CLIENT_CLOSED' });
    client.reconnect();
    expect(await one(client, 'select count(*) from t')).toBe(0);
  });
});
