import { rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Client } from '@libsql/client';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createFileClient, type FileClient } from '../../../../src/host/platform/node/libsql-client.ts';
import { createTransactionScope } from '../../../../src/host/platform/node/transaction-scope.ts';
import { testFolder } from '../../../support/database.ts';

let folder: string;
let client: FileClient;

beforeEach(async () => {
  folder = testFolder();
  client = createFileClient(join(folder, 'x.db'), createTransactionScope());
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

describe('values', () => {
  it('integers are stored as INTEGER and read as numbers', async () => {
    await fc.assert(
      fc.asyncProperty(fc.maxSafeInteger(), async (value) => {
        const { rows } = await client.execute('select ? as v, typeof(?) as kind', [value, value]);
        expect(rows[0]).toMatchObject({ v: value, kind: 'integer' });
      }),
    );
  });

  it('an integer that a number cannot hold is refused on reading, never rounded', async () => {
    await client.execute('insert into t (v) values (?)', [2n ** 63n - 1n]);
    expect(await one(client, 'select cast(v as text) from t')).toBe('9223372036854775807');
    await expect(client.execute('select v from t')).rejects.toThrow(RangeError);
    expect(await one(client, 'select ?', [BigInt(Number.MAX_SAFE_INTEGER)])).toBe(Number.MAX_SAFE_INTEGER);
    await expect(client.execute('select ?', [2n ** 53n])).rejects.toThrow(RangeError);
  });

  it.each([2n ** 63n, -(2n ** 63n) - 1n, Number.NaN, Infinity, 'a\0b', undefined, {}, Symbol('x')])(
    'refuses %s, which the binding would change or crash on',
    async (value) => {
      await expect(one(client, 'select ?', [value])).rejects.toThrow(/the database takes no/);
    },
  );

  it.each([
    [true, 1],
    [false, 0],
    [null, null],
    [1.5, 1.5],
    ['ä', 'ä'],
    [new Date(5), 5],
  ])('binds %s as %s', async (value, stored) => {
    expect(await one(client, 'select ?', [value])).toBe(stored);
  });

  it('gives blobs back byte by byte, whatever view they came in', async () => {
    const bytes = new Uint8Array([9, 0, 255, 128, 9]).subarray(1, 4);
    const back = await one(client, 'select ?', [bytes]);
    expect(back).toBeInstanceOf(ArrayBuffer);
    expect([...new Uint8Array(back as ArrayBuffer)]).toEqual([0, 255, 128]);
  });

  it('rows are read by index and by name, and two columns of one name stay two', async () => {
    const { rows, columns } = await client.execute('select 1 as a, 2 as a, 3 as length');
    expect(columns).toEqual(['a', 'a', 'length']);
    expect(rows[0]?.length).toBe(3);
    expect(Array.prototype.slice.call(rows[0])).toEqual([1, 2, 3]);
    expect(Object.entries(rows[0] ?? {})).toEqual([['a', 1]]);
  });

  it('named arguments come with or without their sigil', async () => {
    const { rows } = await client.execute({
      sql: 'select :a, $b, @c',
      args: { a: 1, $b: 2, '@c': 3 },
    });
    expect(Array.prototype.slice.call(rows[0])).toEqual([1, 2, 3]);
  });
});
