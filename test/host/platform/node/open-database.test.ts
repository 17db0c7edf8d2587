import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, rmSync, statSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';
import { sql } from 'drizzle-orm';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openDatabase } from '../../../../src/host/platform/node/open-database.ts';
import { testFolder } from '../../../support/database.ts';

let folder: string;
let path: string;

beforeEach(() => {
  folder = testFolder();
  path = join(folder, 'weir.db');
});

afterEach(() => rmSync(folder, { recursive: true }));

/** Kills the child after `count` acknowledged ids; gives all ids it had printed by then. */
async function killAfter(child: ChildProcess, count: number): Promise<number[]> {
  const acknowledged: number[] = [];
  const lines = createInterface({ input: child.stdout ?? process.stdin });
  const closed = once(lines, 'close');
  lines.on('line', (line) => {
    acknowledged.push(Number(line));
    if (acknowledged.length === count) child.kill('SIGKILL');
  });
  await Promise.all([once(child, 'exit'), closed]);
  return acknowledged;
}

function startChild(): ChildProcess {
  const program = join(import.meta.dirname, '../../../support/writing-child.ts');
  return spawn(process.execPath, ['--import', 'tsx', program, path], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
}

describe('where', () => {
  it.each([
    ['a path', (at: string) => at],
    ['file:', (at: string) => `file:${at}`],
    ['a file URL', (at: string) => pathToFileURL(at).href],
  ])('%s opens that file, for its owner only', async (_name, url) => {
    const { db, close } = await openDatabase({ url: url(path) });
    await db.run(sql`create table t (id integer primary key)`);
    expect([path, `${path}-wal`, `${path}.lock`].map((file) => statSync(file).mode & 0o777)).toEqual([
      0o600, 0o600, 0o600,
    ]);
    await close();
    expect(statSync(path).size).toBeGreaterThan(0);
    expect(existsSync(`${path}-wal`) && statSync(`${path}-wal`).size > 0).toBe(false);
  });

  it('an idle checkpoint empties the WAL', async () => {
    const { db, checkpoint, close } = await openDatabase({ url: path });
    await db.run(sql`create table t (id integer primary key)`);
    expect(await checkpoint()).toBe(true);
    expect(statSync(`${path}-wal`).size).toBe(0);
    await close();
  });

  it('says which folder is missing', async () => {
    await expect(openDatabase({ url: join(folder, 'no', 'x.db') })).rejects.toThrow(
      `there is no folder ${join(folder, 'no')}`,
    );
  });

  it('refuses other schemes without repeating the secret in them', async () => {
    const refused = openDatabase({ url: 'postgres://u:canary@h/db' });
    await expect(refused).rejects.toMatchObject({ code: 'URL_SCHEME_NOT_SUPPORTED' });
    await expect(refused).rejects.toThrow(/^(?!.*canary).*postgres:/);
  });
});

describe('one process per file', () => {
  it('a second opener is told which file and why, also through a link, until the first closes', async () => {
    const first = await openDatabase({ url: path });
    const link = join(folder, 'link.db');
    symlinkSync(path, link);
    for (const url of [path, link]) {
      const second = openDatabase({ url });
      await expect(second).rejects.toMatchObject({ code: 'DATABASE_LOCKED' });
      await expect(second).rejects.toThrow(`${path} is in use by another process`);
    }
    await first.close();
    await (await openDatabase({ url: link })).close();
  });

  it('a killed process gives the file free, and nothing it acknowledged is lost', { timeout: 60_000 }, async () => {
    const acknowledged = new Set<number>();
    for (const count of [1, 40, 150, 400]) {
      const child = startChild();
      const killed = killAfter(child, count);
      if (count === 400) {
        await once(child.stdout ?? process.stdin, 'data');
        await expect(openDatabase({ url: path })).rejects.toMatchObject({
          code: 'DATABASE_LOCKED',
        });
      }
      for (const id of await killed) acknowledged.add(id);
      const { client, close } = await openDatabase({ url: path });
      const { rows } = await client.execute('select id, count(*) as halves from acks group by id');
      const stored = new Map(rows.map((row) => [row['id'], row['halves']]));
      expect([...acknowledged].filter((id) => !stored.has(id))).toEqual([]);
      expect([...stored.values()].filter((halves) => halves !== 2)).toEqual([]);
      expect((await client.execute('select * from pragma_integrity_check')).rows[0]?.[0]).toBe('ok');
      await close();
    }
    expect(acknowledged.size).toBeGreaterThan(500);
  });
});
