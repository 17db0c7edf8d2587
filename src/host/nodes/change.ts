import { and, eq } from 'drizzle-orm';
import type { EventType } from '../../protocol/event.ts';
import { appendEvents } from '../events/append.ts';
import type { Transaction } from '../store/database.ts';
import { nodes } from '../store/schema.ts';
import type { NodeRow } from './queries.ts';
import { nodeEventData } from './view.ts';

interface NodeChange {
  set: Partial<Omit<NodeRow, 'id' | 'rev'>>;
  type: Extract<EventType, `node.${string}`>;
  atMs: number;
  actor?: string;
  /** Told with the event beside what is so now. */
  tell?: Record<string, unknown>;
}

/** Changes a node's row, guarded by the revision that was read, and tells of it. `null` when it had moved on. */
export async function changeNode(
  tx: Transaction,
  row: NodeRow,
  { set, type, atMs, actor, tell }: NodeChange,
): Promise<NodeRow | null> {
  const changed = await tx
    .update(nodes)
    .set({ ...set, rev: row.rev + 1 })
    .where(and(eq(nodes.id, row.id), eq(nodes.rev, row.rev)))
    .returning();
  const [now] = changed;
  if (!now) return null;
  const data = type === 'node.removed' ? null : { ...nodeEventData(now), ...tell };
  await appendEvents(tx, [
    {
      atMs,
      type,
      subject: { kind: 'node', id: now.id },
      rev: now.rev,
      ...(actor === undefined ? {} : { actor }),
      data,
    },
  ]);
  return now;
}
