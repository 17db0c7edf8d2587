import { sql } from 'drizzle-orm';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Transaction } from '../../../src/host/store/database.ts';
import { createWrites, type Writes, type WritesOptions } from '../../../src/host/store/writes.ts';
import { openTestDatabase, type TestDatabase } from '../../support/database.ts';

let test: TestDatabase;
let turns: (() => void)[];
let commits: number[];
let writes: Writes;

/** The loop's turns come when the test says so. */
function manualWrites(more: Partial<WritesOptions> = {}): Writes {
  return createWrites({
    db: test.db,
    defer: (fn) => turns.push(fn),
    now: () => 0,
    onCommit: ({ rows }) => commits.push(rows),
    ...more,
  });
}

function turn(): void {
  for (const fn of turns.splice(0)) fn();
}

beforeEach(async () => {
  test = await openTestDatabase();
  await test.client.executeMultiple(`
    create table t (k text primary key, at integer) strict;
    create table child (k text references t (k) deferrable initially deferred);
    create table fragile (k text unique on conflict rollback)`);
  turns = [];
  commits = [];
  writes = manualWrites();
});

afterEach(() => test[Symbol.asyncDispose]());

const put =
  (k: string, at = 0) =>
  async (tx: Transaction): Promise<string> => {
    await tx.run(sql`insert into t values (${k}, ${at})`);
    return k;
  };

async function stored(): Promise<unknown[]> {
  const { rows } = await test.client.execute('select k from t order by rowid');
  return rows.map((row) => row['k']);
}

describe('one commit', () => {
  it('takes all of one turn, in the order asked for', async () => {
    const done = Promise.all(['c', 'a', 'b'].map((k) => writes.run(put(k))));
    expect(turns.length).toBe(1);
    turn();
    expect(await done).toEqual(['c', 'a', 'b']);
    expect(await stored()).toEqual(['c', 'a', 'b']);
    expect(commits).toEqual([3]);
  });

  it('settles nobody before it is durable', async () => {
    const seen: unknown[] = [];
    const done = Promise.all(['a', 'b'].map((k) => writes.run(put(k)).then(async () => seen.push(await stored()))));
    turn();
    await done;
    expect(seen).toEqual([
      ['a', 'b'],
      ['a', 'b'],
    ]);
  });

  it('takes at most so many, the rest go on the next turn', async () => {
    writes = manualWrites({ maxPerCommit: 2, defer: queueMicrotask });
    await Promise.all(['a', 'b', 'c', 'd', 'e'].map((k) => writes.run(put(k))));
    expect(commits).toEqual([2, 2, 1]);
  });

  it('what arrives during a commit goes to the next one', async () => {
    let letGo = (): void => undefined;
    const hold = new Promise<void>((resolve) => (letGo = resolve));
    const first = writes.run(async (tx) => {
      await hold;
      return put('a')(tx);
    });
    turn();
    const second = writes.run(put('b'));
    expect(turns).toEqual([]);
    letGo();
    await first;
    expect(await stored()).toEqual(['a']);
    turn();
    expect(await second).toBe('b');
    expect(commits).toEqual([1, 1]);
  });

  it('a lone write waits for one turn of the loop and no timer', async () => {
    const done = writes.run(put('a'));
    expect(turns.length).toBe(1);
    turn();
    await done;
    expect(turns).toEqual([]);
  });

  it('tells its number of writes and its time', async () => {
    const told: unknown[] = [];
    const times = [100, 107];
    writes = manualWrites({
      now: () => times.shift() ?? 0,
      onCommit: (commit) => told.push(commit),
    });
    const done = writes.run(put('a'));
    turn();
    await done;
    expect(told).toEqual([{ rows: 1, durationMs: 7 }]);
  });
});

describe('a write that fails', () => {
  it('is undone alone, with all it did, and rejects alone', async () => {
    const done = Promise.allSettled([
      writes.run(put('a')),
      writes.run(async (tx) => {
        await put('half')(tx);
        throw new Error('changed my mind');
      }),
      writes.run(put('a')),
      writes.run(put('b')),
    ]);
    turn();
    const [first, thrown, duplicate, last] = await done;
    expect(first).toMatchObject({ value: 'a' });
    expect(thrown).toMatchObject({ reason: { message: 'changed my mind' } });
    expect(duplicate).toMatchObject({ reason: { code: 'SQLITE_CONSTRAINT_PRIMARYKEY' } });
    expect(last).toMatchObject({ value: 'b' });
    expect(await stored()).toEqual(['a', 'b']);
  });

  it('does not undo savepoints of others, also when it made some itself', async () => {
    const done = Promise.allSettled([
      writes.run((tx) => tx.transaction(put('a'))),
      writes.run(async (tx) => {
        await tx.transaction(put('x'));
        await tx.transaction(async () => Promise.reject(new Error('inner')));
      }),
      writes.run((tx) => tx.transaction(put('b'))),
    ]);
    turn();
    expect((await done).map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(await stored()).toEqual(['a', 'b']);
  });
});

it('a write that asks for another one is refused at once instead of waiting for itself', async () => {
  const inner = test.writes.run(() => test.writes.run(put('inner')));
  await expect(inner).rejects.toMatchObject({ code: 'NESTED_TRANSACTION' });
  expect(await stored()).toEqual([]);
});

describe('a commit that fails', () => {
  it('rejects all of it, stores nothing of it, and the next one works', async () => {
    const done = Promise.allSettled([
      writes.run(put('a')),
      writes.run((tx) => tx.run(sql`insert into child values ('nobody')`)),
    ]);
    turn();
    const code = 'SQLITE_CONSTRAINT_FOREIGNKEY';
    expect(await done).toMatchObject([{ reason: { code } }, { reason: { code } }]);
    expect(await stored()).toEqual([]);
    const next = writes.run(put('b'));
    turn();
    await next;
    expect(await stored()).toEqual(['b']);
  });

  it('because SQLite ended the transaction by itself leaves nothing behind', async () => {
    const twice = async (tx: Transaction): Promise<void> => {
      for (let n = 0; n < 2; n++) await tx.run(sql`insert into fragile values ('x')`);
    };
    const done = Promise.allSettled([writes.run(put('a')), writes.run(twice), writes.run(put('b'))]);
    turn();
    expect((await done).map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected']);
    expect(await stored()).toEqual([]);
  });
});

describe('the end', () => {
  it('drain waits for what waits and for what comes meanwhile', async () => {
    const { writes: real } = test;
    const order: string[] = [];
    const first = real.run(put('a')).then(() => {
      order.push('a');
      return real.run(put('b')).then(() => order.push('b'));
    });
    await real.drain();
    order.push('drained');
    await first;
    expect(order[0]).toBe('a');
    await real.drain();
    expect(await stored()).toEqual(['a', 'b']);
  });

  it('close finishes what was asked for and refuses the rest', async () => {
    const before = writes.run(put('a'));
    const closed = writes.close();
    await expect(writes.run(put('b'))).rejects.toMatchObject({ code: 'WRITES_CLOSED' });
    turn();
    await closed;
    expect(await before).toBe('a');
    expect(await stored()).toEqual(['a']);
    await writes.close();
  });
});

it('sixteen clients that read and write in turn lose no update', async () => {
  await test.writes.run(put('n'));
  const client = async (): Promise<void> => {
    for (let n = 0; n < 25; n++) await test.writes.run((tx) => tx.run(sql`update t set at = at + 1`));
  };
  await Promise.all(Array.from({ length: 16 }, client));
  const { rows } = await test.client.execute('select at from t');
  expect(rows[0]?.['at']).toBe(400);
});
