import { sql } from 'drizzle-orm';
import { counters } from './schema.ts';
import type { Transaction } from './database.ts';

/** Takes `count` numbers of a kind, never given before; answers the first. */
export async function takeNumbers(
  tx: Transaction,
  kind: 'task' | 'node' | 'credential' | 'batch',
  count: number,
): Promise<number> {
  const rows = await tx
    .insert(counters)
    .values({ kind, next: 1 + count })
    .onConflictDoUpdate({ target: counters.kind, set: { next: sql`${counters.next} + ${count}` } })
    .returning({ next: counters.next });
  const next = rows[0]?.next;
  if (next === undefined) throw new Error(`the counter "${kind}" gave no number`);
  return next - count;
}
