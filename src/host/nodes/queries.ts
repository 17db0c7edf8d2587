import { and, asc, count, eq, inArray, isNull, or } from 'drizzle-orm';
import { nodeId, type NodeId } from '../../protocol/ids.ts';
import { ProblemError } from '../../protocol/problem.ts';
import { placedStates } from '../../protocol/task-state.ts';
import type { Queryable } from '../store/database.ts';
import { attempts, nodes, tasks } from '../store/schema.ts';
import type { TaskRow } from '../tasks/view.ts';

export type NodeRow = typeof nodes.$inferSelect;

/** The row of a node that has not been removed. */
export async function readNode(db: Queryable, id: NodeId): Promise<NodeRow | null> {
  const rows = await db
    .select()
    .from(nodes)
    .where(and(eq(nodes.id, id), isNull(nodes.removedMs)));
  return rows[0] ?? null;
}

export async function listNodes(db: Queryable): Promise<NodeRow[]> {
  return db.select().from(nodes).where(isNull(nodes.removedMs)).orderBy(asc(nodes.id));
}

/** @throws ProblemError `not_found` */
export async function findNode(db: Queryable, ref: string): Promise<NodeRow> {
  const id = nodeId.parse(ref);
  const meant = id === null ? eq(nodes.name, ref) : or(eq(nodes.id, id), eq(nodes.name, ref));
  const rows = await db
    .select()
    .from(nodes)
    .where(and(meant, isNull(nodes.removedMs)));
  // An id stands for its node also when another node has it as its name.
  const row = rows.find((one) => one.id === id) ?? rows[0];
  if (!row) throw new ProblemError('not_found', `there is no node "${ref}"`, { fix: 'see `weir node list`' });
  return row;
}

/** Tasks that hold room on a node, or on any when none is named. */
export async function placedTasks(db: Queryable, node?: NodeId): Promise<TaskRow[]> {
  const placed = inArray(tasks.state, [...placedStates]);
  return db
    .select()
    .from(tasks)
    .where(node === undefined ? placed : and(placed, eq(tasks.node, node)));
}

export async function countLiveAttempts(db: Queryable, node: NodeId): Promise<number> {
  const rows = await db
    .select({ live: count() })
    .from(attempts)
    .where(and(eq(attempts.node, node), isNull(attempts.endedMs)));
  return rows[0]?.live ?? 0;
}
