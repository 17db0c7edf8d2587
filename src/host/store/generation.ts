import { eq, sql } from 'drizzle-orm';
import type { NodeId } from '../../protocol/ids.ts';
import type { Transaction } from './database.ts';
import { nodes } from './schema.ts';

/** Raises a node's generation, since what is desired of it changes in this transaction. Answers the new one. */
export async function bumpGeneration(tx: Transaction, node: NodeId): Promise<number> {
  const rows = await tx
    .update(nodes)
    .set({ generation: sql`${nodes.generation} + 1` })
    .where(eq(nodes.id, node))
    .returning({ generation: nodes.generation });
  const generation = rows[0]?.generation;
  if (generation === undefined) throw new Error(`there is no row of node ${node}`);
  return generation;
}
