import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { rmSync } from 'node:fs';
import type { Client } from '@libsql/client';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openDatabase, type OpenDatabase } from '../../../src/host/platform/node/open-database.ts';
import { migrate, type Migration } from '../../../src/host/store/migrate.ts';
import { testFolder } from '../../support/database.ts';

const first: Migration = { name: '0000_a', hash: 'h0', statements: ['create table a (x integer)'] };
const second: Migration = {
  name: '0001_b',
  hash: 'h1',
  statements: ['alter table a add column y integer', 'insert into a values (1, 2)'],
};

let folder: string;
let open: OpenDatabase;
let client: Client;

beforeEach(async () => {
  folder = testFolder();
  open = await openDatabase({ url: join(folder, 'x.db') });
  client = open.client;
});

afterEach(async () => {
  await open.close();
  rmSync(folder, { recursive: true });
});

async function applied(): Promise<unknown[]> {
  const { rows } = await client.execute('select name, appliedAt from _migrations order by name');
  return rows.map((row) => [row['name'], row['appliedAt']]);
}

describe('migrate', () => {
  it('applies what is new, in order, once', async () => {
    await migrate(client, [first], 10);
    await migrate(client, [first, second], 20);
    await migrate(client, [first, second], 30);
    expect(await applied()).toEqual([
      ['0000_a', 10],
      ['0001_b', 20],
    ]);
    expect((await client.execute('select x, y from a')).rows).toMatchObject([{ x: 1, y: 2 }]);
  });

  it('a migration that fails changes nothing, and is tried again', async () => {
    const broken = {
      ...second,
      statements: [...second.statements, 'insert into nowhere values (1)'],
    };
    await expect(migrate(client, [first, broken], 10)).rejects.toThrow('no such table: nowhere');
    expect(await applied()).toEqual([['0000_a', 10]]);
    await migrate(client, [first, second], 20);
    expect((await client.execute('select count(*) as n from a')).rows).toMatchObject([{ n: 1 }]);
  });

  it('refuses a migration that was changed after it was applied', async () => {
    await migrate(client, [first], 10);
    await expect(migrate(client, [{ ...first, hash: 'other' }], 20)).rejects.toThrow(
      /0000_a was applied with other contents .*restore a backup/,
    );
  });

  it('refuses a database of a newer version, and says what to do', async () => {
    await migrate(client, [first, second], 10);
    await expect(migrate(client, [first], 20)).rejects.toThrow(/0001_b.*made by a newer one. Start that version/);
  });

  it('refuses a database that skipped one', async () => {
    await migrate(
      client,
      [second].map((m) => ({ ...m, statements: [] })),
      10,
    );
    await expect(migrate(client, [first, second], 20)).rejects.toThrow('skipped migration 0000_a');
  });

  it('two that start at once apply each migration once', async () => {
    await Promise.all([migrate(client, [first, second], 1), migrate(client, [first, second], 2)]);
    expect((await client.execute('select count(*) as n from a')).rows).toMatchObject([{ n: 1 }]);
  });
});

it('the generated module is what the files in migrations/ say', () => {
  const script = join(import.meta.dirname, '../../../scripts/migrations.mjs');
  const check = () => execFileSync(process.execPath, [script, '--check'], { stdio: 'pipe' });
  expect(check).not.toThrow();
});
