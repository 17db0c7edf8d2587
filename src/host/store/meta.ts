import { eq } from 'drizzle-orm';
import { meta } from './schema.ts';
import type { Queryable, Transaction } from './database.ts';

export interface Cluster {
  id: string;
  /** Raised by restore; compared before generations. */
  epoch: number;
}

/** The cluster's identity, made at the first start. `newId` is asked for only then. */
export async function loadCluster(tx: Transaction, newId: () => string): Promise<Cluster> {
  const id = (await readMeta(tx, 'cluster')) ?? newId();
  const epoch = Number((await readMeta(tx, 'epoch')) ?? 1);
  await tx
    .insert(meta)
    .values([
      { key: 'cluster', value: id },
      { key: 'epoch', value: String(epoch) },
    ])
    .onConflictDoNothing();
  return { id, epoch };
}

/**
 * Makes sure that the Hosts that share this database sign with one key: the first one's is the cluster's.
 * @throws Error when this Host has another
 */
export async function claimSigningKey(
  tx: Transaction,
  { kid, keysFolder }: { kid: string; keysFolder: string },
): Promise<void> {
  await tx.insert(meta).values({ key: 'signing_key', value: kid }).onConflictDoNothing();
  const stored = await readMeta(tx, 'signing_key');
  if (stored === kid) return;
  throw new Error(
    `the Hosts of this database sign with the key ${stored}, this one with ${kid}: copy the files of the first Host's keys folder to ${keysFolder}`,
  );
}

async function readMeta(db: Queryable, key: string): Promise<string | null> {
  const rows = await db.select({ value: meta.value }).from(meta).where(eq(meta.key, key));
  return rows[0]?.value ?? null;
}
