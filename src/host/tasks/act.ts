import { and, gt, lt, type SQL } from 'drizzle-orm';
import { batchId, membersPerTask, taskId, type TaskId } from '../../protocol/ids.ts';
import { ProblemError, type Problem } from '../../protocol/problem.ts';
import type { TaskState } from '../../protocol/task-state.ts';
import type { HostContext } from '../context.ts';
import type { Transaction } from '../store/database.ts';
import { tasks } from '../store/schema.ts';
import { killRow } from './kill.ts';
import { findTask, listTasks, readTask } from './queries.ts';
import type { TaskRow } from './view.ts';
import { applyOrder, type Order } from './verbs.ts';

type Slice = Pick<HostContext, 'writes' | 'clock' | 'wakes'>;

export type AnyOrder = Order | { verb: 'kill'; message: string | undefined; force: boolean };

/** Which tasks are meant: by what people call them, or by what they have in common. */
export interface Selection {
  ids?: readonly string[] | undefined;
  batch?: string | undefined;
  labels?: readonly { key: string; value: string }[] | undefined;
  states?: readonly TaskState[] | undefined;
}

export interface Outcome {
  id: string;
  state: TaskState | null;
  problem: Pick<Problem, 'code' | 'detail'> | null;
}

/**
 * Does verbs to one task, or to all members of an array that they can be done to; all or none of them to each.
 * @throws ProblemError `not_found`, `state_conflict`
 */
export async function actOnTask(
  ctx: Slice,
  ref: string,
  { orders, actor }: { orders: readonly AnyOrder[]; actor: string },
): Promise<TaskRow> {
  const { row, touched } = await ctx.writes.run(async (tx) => {
    const found = await findTask(tx, ref);
    if (found.members === null) {
      const now = await actOnRow(ctx, tx, { row: found, orders, actor });
      return { row: now, touched: [now] };
    }
    const changed = await actOnMembers(ctx, tx, { array: found, orders, actor });
    return { row: (await readTask(tx, found.id)) ?? found, touched: changed };
  });
  wake(ctx, touched);
  return row;
}

/** Does a verb to each task of a selection by itself, and tells of each what came of it. */
export async function actOnSelection(
  ctx: Slice,
  selection: Selection,
  { orders, actor }: { orders: readonly AnyOrder[]; actor: string },
): Promise<Outcome[]> {
  const refs = selection.ids ?? (await ctx.writes.run((tx) => select(tx, selection)));
  const outcomes: Outcome[] = [];
  for (const ref of refs) outcomes.push(await outcomeOf(ref, () => actOnTask(ctx, ref, { orders, actor })));
  return outcomes;
}

async function outcomeOf(ref: string, act: () => Promise<TaskRow>): Promise<Outcome> {
  try {
    const row = await act();
    return { id: row.id, state: row.state, problem: null };
  } catch (error) {
    if (!(error instanceof ProblemError)) throw error;
    return { id: ref, state: null, problem: { code: error.code, detail: error.message } };
  }
}

/** Tasks changed by one request, at most. */
const mostSelected = 10_000;

async function select(tx: Transaction, { batch, labels, states }: Selection): Promise<TaskId[]> {
  const id = batch === undefined ? undefined : batchId.parse(batch);
  if (id === null)
    throw new ProblemError('invalid_field', `field /batch: "${batch ?? ''}" is not the id of a batch such as "b1k"`);
  const filter = { states, labels, batch: id, array: 'each' } as const;
  const rows = await listTasks(tx, filter, { limit: mostSelected, below: null });
  return rows.map((row) => row.id);
}

interface Act {
  row: TaskRow;
  orders: readonly AnyOrder[];
  actor: string;
}

async function actOnRow(ctx: Slice, tx: Transaction, { row, orders, actor }: Act): Promise<TaskRow> {
  let now = row;
  for (const order of orders) {
    now =
      order.verb === 'kill'
        ? await killRow(tx, now, { ctx, actor, message: order.message, force: order.force })
        : await applyOrder(tx, now, { order, by: { ctx, actor } });
  }
  return now;
}

/** Members that are not in a state for it are passed over, unless that is all of them. */
async function actOnMembers(
  ctx: Slice,
  tx: Transaction,
  { array, orders, actor }: { array: TaskRow; orders: readonly AnyOrder[]; actor: string },
): Promise<TaskRow[]> {
  const changed: TaskRow[] = [];
  let refusal: ProblemError | null = null;
  for (const member of await membersOf(tx, array.id)) {
    try {
      changed.push(await actOnRow(ctx, tx, { row: member, orders, actor }));
    } catch (error) {
      if (!(error instanceof ProblemError) || error.code !== 'state_conflict') throw error;
      refusal = error;
    }
  }
  if (changed.length > 0 || refusal === null) return changed;
  throw new ProblemError('state_conflict', `no member of ${array.id} can be changed so: ${refusal.message}`);
}

async function membersOf(tx: Transaction, array: TaskId): Promise<TaskRow[]> {
  const first = taskId.toStored(array);
  const range: SQL[] = [gt(tasks.id, array), lt(tasks.id, taskId.fromStored(first + membersPerTask))];
  return tx
    .select()
    .from(tasks)
    .where(and(...range))
    .orderBy(tasks.id);
}

function wake(ctx: Slice, touched: readonly TaskRow[]): void {
  ctx.wakes.reconcile.raise();
  for (const node of new Set(touched.map((row) => row.node))) if (node !== null) ctx.wakes.node(node).raise();
}
