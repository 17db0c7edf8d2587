import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eq, sql } from 'drizzle-orm';
import { integer, sqliteTable, text } from 'drizzle-orm/sqlite-core';
import Libsql from 'libsql';
import { openDatabase } from '../../src/host/platform/node/open-database.ts';
import { prepared } from '../../src/host/store/prepared.ts';
import type { Transaction } from '../../src/host/store/database.ts';
import { createWrites, type Writes } from '../../src/host/store/writes.ts';
import { systemClock } from '../../src/lib/clock.ts';

interface Row {
  name: string;
  value: number;
  unit: string;
  baseline?: string;
  ratio?: number;
}

const beats = sqliteTable('beats', {
  id: integer('id').primaryKey(),
  node: text('node').notNull(),
  at: integer('at').notNull(),
});
const ddl = 'create table beats (id integer primary key, node text not null, at integer not null)';
const updates = 500;

const insertBeat = prepared((q) =>
  q
    .insert(beats)
    .values({ node: sql.placeholder('node'), at: sql.placeholder('at') })
    .prepare(),
);
const touchBeat = prepared((q) =>
  q
    .update(beats)
    .set({ at: sql`${sql.placeholder('at')}` })
    .where(eq(beats.id, sql.placeholder('id')))
    .prepare(),
);

/** Group commit against one durable commit per row on the bare binding, in turns, on a real disk. */
export async function run(): Promise<{ rows: Row[] }> {
  const folder = mkdtempSync(join(tmpdir(), 'weir-bench-'));
  const bare = new Libsql(join(folder, 'bare.db'));
  const { client, db, close } = await openDatabase({ url: join(folder, 'weir.db') });
  try {
    for (const pragma of ['journal_mode=wal', 'synchronous=full']) bare.exec(`pragma ${pragma}`);
    bare.exec(ddl);
    await client.execute(ddl);
    const writes = createWrites({ db, defer: systemClock.defer, now: systemClock.monotonic });
    const rows: Row[] = [];
    for (const clients of [1, 16, 64]) rows.push(...(await groupCommit({ bare, writes }, clients)));
    return { rows: [...rows, ...(await hotUpdates(writes))] };
  } finally {
    bare.close();
    await close();
    rmSync(folder, { recursive: true });
  }
}

/** Rows per second, the median of three rounds in which each way has its turn. */
async function groupCommit(
  { bare, writes }: { bare: Libsql.Database; writes: Writes },
  clients: number,
): Promise<Row[]> {
  const insert = bare.prepare('insert into beats (node, at) values (?, ?)');
  const ways: Record<string, () => Promise<number>> = {
    'bare libsql, one commit each': () =>
      rate({ clients: 1, count: 400 }, async (at) => {
        bare.exec('begin immediate');
        insert.run(['n1', BigInt(at)]);
        bare.exec('commit');
      }),
    'Writes.run, built by drizzle': () =>
      rate({ clients, count: 400 * clients ** 0.5 }, (at) =>
        writes.run((tx) => tx.insert(beats).values({ node: 'n1', at })),
      ),
    'Writes.run, prepared': () =>
      rate({ clients, count: 400 * clients ** 0.5 }, (at) =>
        writes.run((tx) => insertBeat(tx).run({ node: 'n1', at })),
      ),
  };
  const rounds = new Map<string, number[]>();
  for (let round = 0; round < 3; round++) {
    for (const [name, way] of Object.entries(ways)) {
      rounds.set(name, [...(rounds.get(name) ?? []), await way()]);
    }
  }
  const [bareRate = 1] = [...rounds.values()].map(median);
  return [...rounds].map(([name, rates]) => ({
    name: `${name}, ${clients} clients`,
    value: Math.round(median(rates)),
    unit: 'rows/s',
    baseline: 'bare libsql, one commit each',
    ratio: Math.round((median(rates) / bareRate) * 100) / 100,
  }));
}

async function rate(
  { clients, count }: { clients: number; count: number },
  write: (at: number) => Promise<unknown>,
): Promise<number> {
  const ms = elapsed();
  let at = 0;
  const client = async (): Promise<void> => {
    while (at < count) await write(at++);
  };
  await Promise.all(Array.from({ length: clients }, client));
  return (count / ms()) * 1_000;
}

async function hotUpdates(writes: Writes): Promise<Row[]> {
  const ids = Array.from({ length: updates }, (_, index) => index + 1);
  const ways: Record<string, (tx: Transaction) => Promise<unknown>> = {
    'built each time': async (tx) => {
      for (const id of ids) await tx.update(beats).set({ at: id }).where(eq(beats.id, id));
    },
    'prepared per transaction': async (tx) => {
      for (const id of ids) await touchBeat(tx).run({ id, at: id });
    },
    'one statement over json_each': async (tx) => {
      const changes = JSON.stringify(ids.map((id) => [id, id]));
      await tx.run(sql`update beats set at = j.value ->> 1
        from json_each(${changes}) j where beats.id = j.value ->> 0`);
    },
  };
  const rows: Row[] = [];
  for (const [name, way] of Object.entries(ways)) {
    const times: number[] = [];
    for (let round = 0; round < 15; round++) {
      const ms = elapsed();
      await writes.run(way);
      times.push(ms());
    }
    rows.push({
      name: `${updates} updates, ${name}`,
      value: Math.round(median(times) * 100) / 100,
      unit: 'ms',
    });
  }
  return rows;
}

function median(values: number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0;
}

function elapsed(): () => number {
  const startedMs = systemClock.monotonic();
  return () => systemClock.monotonic() - startedMs;
}
