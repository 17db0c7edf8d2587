import { and, asc, desc, eq, exists, gt, inArray, isNull, lt, or, sql, type SQL } from 'drizzle-orm';
import { decodeCounter } from '../../lib/base32.ts';
import { membersPerTask, nodeId, taskId, type BatchId, type NodeId, type TaskId } from '../../protocol/ids.ts';
import { ProblemError } from '../../protocol/problem.ts';
import type { TaskState } from '../../protocol/task-state.ts';
import type { Queryable } from '../store/database.ts';
import { attempts, nodes, taskLabels, tasks } from '../store/schema.ts';
import type { AttemptRow, TaskRow } from './view.ts';

export interface TaskFilter {
  states?: readonly TaskState[] | undefined;
  node?: NodeId | undefined;
  name?: string | undefined;
  owner?: string | undefined;
  labels?: readonly { key: string; value: string }[] | undefined;
  batch?: BatchId | undefined;
  /** Members of this array; without it, members of arrays are left out. `each`: members, and no arrays. */
  array?: TaskId | 'each' | undefined;
}

export async function readTask(db: Queryable, id: TaskId): Promise<TaskRow | null> {
  const rows = await db.select().from(tasks).where(eq(tasks.id, id));
  return rows[0] ?? null;
}

export async function readAttempts(db: Queryable, id: TaskId): Promise<AttemptRow[]> {
  return db.select().from(attempts).where(eq(attempts.task, id)).orderBy(asc(attempts.attempt));
}

export async function readAttempt(db: Queryable, id: TaskId, attempt: number): Promise<AttemptRow | null> {
  const rows = await db
    .select()
    .from(attempts)
    .where(and(eq(attempts.task, id), eq(attempts.attempt, attempt)));
  return rows[0] ?? null;
}

/** Newest first. `below` is the id counter of the last item of the page before. */
export async function listTasks(
  db: Queryable,
  filter: TaskFilter,
  { limit, below }: { limit: number; below: number | null },
): Promise<TaskRow[]> {
  const where: SQL[] = [];
  if (filter.states?.length) where.push(inArray(tasks.state, [...filter.states]));
  if (filter.node !== undefined) where.push(eq(tasks.node, filter.node));
  if (filter.name !== undefined) where.push(eq(tasks.name, filter.name));
  if (filter.owner !== undefined) where.push(eq(tasks.owner, filter.owner));
  if (filter.batch !== undefined) where.push(eq(tasks.batch, filter.batch));
  where.push(...memberRange(filter.array));
  for (const label of filter.labels ?? []) where.push(hasLabel(db, label));
  if (below !== null) where.push(lt(tasks.id, taskId.fromStored(below)));
  return db
    .select()
    .from(tasks)
    .where(and(...where))
    .orderBy(desc(tasks.id))
    .limit(limit);
}

function memberRange(array: TaskFilter['array']): SQL[] {
  if (array === 'each') return [isNull(tasks.members)];
  if (array === undefined) return [sql`${tasks.id} % ${membersPerTask} = 0`];
  const first = taskId.toStored(array);
  return [gt(tasks.id, array), lt(tasks.id, taskId.fromStored(first + membersPerTask))];
}

function hasLabel(db: Queryable, { key, value }: { key: string; value: string }): SQL {
  return exists(
    db
      .select({ one: sql`1` })
      .from(taskLabels)
      .where(and(eq(taskLabels.key, key), eq(taskLabels.value, value), eq(taskLabels.task, tasks.id))),
  );
}

/**
 * The task that a person means: its id, its name, or a prefix of its id that only one has.
 * @throws ProblemError `not_found`, or `state_conflict` when several fit
 */
export async function findTask(db: Queryable, ref: string): Promise<TaskRow> {
  const id = taskId.parse(ref);
  const exact = id === null ? null : await readTask(db, id);
  if (exact) return exact;
  const named = await db.select().from(tasks).where(eq(tasks.name, ref)).orderBy(desc(tasks.id)).limit(6);
  const fitting = named.length > 0 ? named : await withPrefix(db, ref);
  const [only] = fitting;
  if (!only) throw new ProblemError('not_found', `there is no task "${ref}"`, { fix: 'see `weir task list`' });
  if (fitting.length === 1) return only;
  const several = fitting
    .slice(0, 5)
    .map((row) => row.id)
    .join(', ');
  throw new ProblemError(
    'state_conflict',
    `"${ref}" fits several tasks: ${several}${fitting.length > 5 ? ', …' : ''}`,
    {
      fix: 'give the id',
    },
  );
}

async function withPrefix(db: Queryable, ref: string): Promise<TaskRow[]> {
  const counter = ref.startsWith('t') && ref.length > 1 ? decodeCounter(ref.slice(1)) : null;
  if (counter === null || counter === 0) return [];
  const ranges: SQL[] = [];
  for (let more = 1; ref.length - 1 + more <= 7; more += 1) {
    const first = counter * 32 ** more;
    const [from, to] = [first * membersPerTask, (first + 32 ** more) * membersPerTask];
    // Members of arrays are not meant by a prefix: their array is.
    ranges.push(sql`(${tasks.id} >= ${from} and ${tasks.id} < ${to} and ${tasks.id} % ${membersPerTask} = 0)`);
  }
  return db
    .select()
    .from(tasks)
    .where(or(...ranges))
    .orderBy(desc(tasks.id))
    .limit(6);
}

/** The present node that is meant by an id or a name. */
export async function findNodeId(db: Queryable, ref: string): Promise<NodeId | null> {
  const id = nodeId.parse(ref);
  const meant = id === null ? eq(nodes.name, ref) : or(eq(nodes.id, id), eq(nodes.name, ref));
  const rows = await db
    .select({ id: nodes.id })
    .from(nodes)
    .where(and(meant, isNull(nodes.removedMs)));
  return (rows.find((one) => one.id === id) ?? rows[0])?.id ?? null;
}
