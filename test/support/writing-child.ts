import { writeSync } from 'node:fs';
import { openDatabase } from '../../src/host/platform/node/open-database.ts';
import { createWrites } from '../../src/host/store/writes.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { sql } from 'drizzle-orm';

/**
 * A process to be killed: writes pairs of rows into `acks` of the database named by its argument
 * through `Writes`, and prints each id once it was acknowledged.
 */
const [, , url = ''] = process.argv;
const { client, db } = await openDatabase({ url });
await client.execute('create table if not exists acks (id integer not null, half integer not null)');
const writes = createWrites({ db, defer: systemClock.defer, now: systemClock.monotonic });
const { rows } = await client.execute('select coalesce(max(id), 0) from acks');
let next = Number(rows[0]?.[0]) + 1;

async function writer(): Promise<never> {
  for (;;) {
    const id = next++;
    await writes.run(async (tx) => {
      await tx.run(sql`insert into acks values (${id}, 1)`);
      await tx.run(sql`insert into acks values (${id}, 2)`);
    });
    writeSync(1, `${id}\n`);
  }
}

await Promise.all(Array.from({ length: 8 }, writer));
