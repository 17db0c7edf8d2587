import { and, eq, sql } from 'drizzle-orm';
import { databaseNowMs } from './database-time.ts';
import type { Database, Queryable, Transaction } from './database.ts';
import { leases } from './schema.ts';
import { StoreError } from './store-error.ts';
import type { Writes } from './writes.ts';

export interface LeaseWish {
  name: string;
  /** Of one process: another one is another holder. */
  holder: string;
  durationMs: number;
}

/** Held under its fencing number, or how long another may still hold it. */
export type LeaseAnswer = { fence: number } | { heldForMs: number };

/** Takes or renews a lease, in one statement. The fencing number rises whenever the holder changes. */
export async function takeLease(db: Database, { name, holder, durationMs }: LeaseWish): Promise<LeaseAnswer> {
  const expiresMs = sql`${databaseNowMs} + ${durationMs}`;
  const taken = await db
    .insert(leases)
    .values({ name, holder, fence: 1, expiresMs })
    .onConflictDoUpdate({
      target: leases.name,
      set: { holder, expiresMs, fence: sql`${leases.fence} + (${leases.holder} <> ${holder})` },
      setWhere: sql`${leases.holder} = ${holder} or ${leases.expiresMs} <= ${databaseNowMs}`,
    })
    .returning({ fence: leases.fence });
  const [mine] = taken;
  if (mine) return mine;
  const rows = await db
    .select({ heldForMs: sql<number>`max(0, ${leases.expiresMs} - ${databaseNowMs})` })
    .from(leases)
    .where(eq(leases.name, name));
  return { heldForMs: rows[0]?.heldForMs ?? 0 };
}

/** Gives a lease back before its time, if it is still this holder's. */
export async function releaseLease(db: Database, { name, holder }: Pick<LeaseWish, 'name' | 'holder'>): Promise<void> {
  await db
    .update(leases)
    .set({ expiresMs: 0 })
    .where(and(eq(leases.name, name), eq(leases.holder, holder)));
}

/** Writes that are refused (StoreError `FENCED`) once somebody else has taken the lease. */
export function fencedWrites(writes: Writes, held: { name: string; fence: number }): Writes {
  return {
    ...writes,
    run: (write) =>
      writes.run(async (tx: Transaction) => {
        if ((await fenceOf(tx, held.name)) !== held.fence) {
          throw new StoreError(
            'FENCED',
            `another Host has taken the lease "${held.name}": what this one decided is void`,
          );
        }
        return write(tx);
      }),
  };
}

async function fenceOf(db: Queryable, name: string): Promise<number | null> {
  const rows = await db.select({ fence: leases.fence }).from(leases).where(eq(leases.name, name));
  return rows[0]?.fence ?? null;
}
