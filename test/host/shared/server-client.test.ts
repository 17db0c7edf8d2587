import { asc } from 'drizzle-orm';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { openDatabase, type OpenDatabase } from '../../../src/host/platform/node/open-database.ts';
import type { Transaction } from '../../../src/host/store/database.ts';
import { migrate } from '../../../src/host/store/migrate.ts';
import { migrations } from '../../../src/host/store/migrations.generated.ts';
import { meta } from '../../../src/host/store/schema.ts';
import { createWrites, type Writes } from '../../../src/host/store/writes.ts';
import { systemClock } from '../../../src/lib/clock.ts';
import { startSqld, type TestSqld } from '../../support/sqld.ts';

let sqld: TestSqld;
let database: OpenDatabase;
let writes: Writes;
let commits: number[] = [];
beforeAll(async () => {
  sqld = await startSqld();
  database = await openDatabase({ url: sqld.url });
  await migrate(database.client, migrations, 0);
  const onCommit = ({ rows }: { rows: number }): void => void commits.push(rows);
  writes = createWrites({
    db: database.db,
    defer: systemClock.defer,
    now: systemClock.monotonic,
    onCommit,
  });
}, 60_000);
beforeEach(async () => {
  await database.db.delete(meta);
  commits = [];
});
afterAll(async () => {
  await writes.close();
  await database.close();
  await sqld[Symbol.asyncDispose]();
});

const insert =
  (key: string, value = '') =>
  (tx: Transaction) =>
    tx.insert(meta).values({ key, value });
const read = (tx: Transaction) => tx.select().from(meta).orderBy(asc(meta.key));

describe('writes to a libSQL server', () => {
  it('that fail by their insert alone are undone alone, though it was sent later than it was made', async () => {
    const outcomes = await Promise.allSettled([
      writes.run(insert('a', 'first')),
      writes.run(insert('a', 'second')),
      writes.run(insert('b')),
    ]);
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(outcomes[1]).toMatchObject({ reason: { code: 'SQLITE_CONSTRAINT_UNIQUE' } });
    expect(commits).toEqual([3]);
    expect((await database.db.select().from(meta)).map(({ key, value }) => key + value)).toEqual(['afirst', 'b']);
  });

  it('see what they inserted before, and leave nothing when they give up', async () => {
    const seen: number[] = [];
    const gaveUp = writes.run(async (tx) => {
      await insert('x')(tx);
      seen.push((await read(tx)).length);
      await insert('y')(tx);
      throw new Error('no');
    });
    const unsent = writes.run(async (tx) => {
      await insert('z')(tx);
      throw new Error('never mind');
    });
    const kept = writes.run(insert('kept'));
    await expect(gaveUp).rejects.toThrow('no');
    await expect(unsent).rejects.toThrow('never mind');
    await kept;
    expect(seen).toEqual([1]);
    expect((await database.db.select().from(meta)).map(({ key }) => key)).toEqual(['kept']);
  });

  it('bind whole numbers as such', async () => {
    const { rows } = await database.client.execute({ sql: 'select typeof(?) as kind', args: [5] });
    expect(rows[0]?.['kind']).toBe('integer');
  });
});
