import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openDatabase, type OpenDatabase } from '../../../src/host/platform/node/open-database.ts';
import { fencedWrites, releaseLease, takeLease } from '../../../src/host/store/lease.ts';
import { migrate } from '../../../src/host/store/migrate.ts';
import { migrations } from '../../../src/host/store/migrations.generated.ts';
import { meta } from '../../../src/host/store/schema.ts';
import { createWrites } from '../../../src/host/store/writes.ts';
import { systemClock } from '../../../src/lib/clock.ts';
import { startSqld, type TestSqld } from '../../support/sqld.ts';

let sqld: TestSqld;
let database: OpenDatabase;
beforeAll(async () => {
  sqld = await startSqld();
  database = await openDatabase({ url: sqld.url });
  await migrate(database.client, migrations, 0);
}, 60_000);
afterAll(async () => {
  await database.close();
  await sqld[Symbol.asyncDispose]();
});

describe('a lease', () => {
  it("is one holder's, who renews it under the same number; the next holder has a higher one", async () => {
    const { db } = database;
    const a = { name: 'one', holder: 'a', durationMs: 60_000 };
    const b = { ...a, holder: 'b' };
    expect(await takeLease(db, a)).toEqual({ fence: 1 });
    const refused = await takeLease(db, b);
    if (!('heldForMs' in refused)) throw new Error('two hold it');
    expect(refused.heldForMs).toBeGreaterThan(50_000);
    expect(refused.heldForMs).toBeLessThanOrEqual(60_000);
    expect(await takeLease(db, a)).toEqual({ fence: 1 });
    await releaseLease(db, b);
    expect(await takeLease(db, b)).toHaveProperty('heldForMs');
    await releaseLease(db, a);
    expect(await takeLease(db, b)).toEqual({ fence: 2 });
    expect(await takeLease(db, a)).toHaveProperty('heldForMs');
  });

  it('goes to exactly one of many who ask at once', async () => {
    const asked = Array.from({ length: 8 }, (_, at) =>
      takeLease(database.db, { name: 'many', holder: `h${at}`, durationMs: 60_000 }),
    );
    const answers = await Promise.all(asked);
    expect(answers.filter((answer) => 'fence' in answer)).toEqual([{ fence: 1 }]);
  });

  it('refuses the writes of a holder that has been overtaken, and of it alone', async () => {
    const { db } = database;
    await using writes = createWrites({ db, defer: systemClock.defer, now: systemClock.monotonic });
    const held = { name: 'fenced', holder: 'old', durationMs: 0 };
    expect(await takeLease(db, held)).toEqual({ fence: 1 });
    const old = fencedWrites(writes, { name: 'fenced', fence: 1 });
    await old.run((tx) => tx.insert(meta).values({ key: 'before', value: 'old' }));
    expect(await takeLease(db, { ...held, holder: 'new', durationMs: 60_000 })).toEqual({
      fence: 2,
    });
    const late = old.run((tx) => tx.insert(meta).values({ key: 'late', value: 'old' }));
    const next = fencedWrites(writes, { name: 'fenced', fence: 2 }).run((tx) =>
      tx.insert(meta).values({ key: 'next', value: 'new' }),
    );
    await expect(late).rejects.toMatchObject({ code: 'FENCED' });
    await next;
    expect((await db.select().from(meta)).map(({ key }) => key).toSorted()).toEqual(['before', 'next']);
  });
});
