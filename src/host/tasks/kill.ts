import { and, eq, isNull } from 'drizzle-orm';
import { ProblemError } from '../../protocol/problem.ts';
import { reason } from '../../protocol/reason.ts';
import type { StopOrder } from '../../protocol/sync.ts';
import { bareEnd } from '../../protocol/task-end.ts';
import { isPlaced, taskVerbs, type TaskState } from '../../protocol/task-state.ts';
import type { NodeId } from '../../protocol/ids.ts';
import type { HostContext } from '../context.ts';
import { bumpGeneration } from '../store/generation.ts';
import type { Transaction } from '../store/database.ts';
import { attempts } from '../store/schema.ts';
import { moveTask } from './move.ts';
import { findTask } from './queries.ts';
import { iso, type TaskRow } from './view.ts';

type Slice = Pick<HostContext, 'writes' | 'clock' | 'wakes'>;

interface KillOrder {
  ref: string;
  actor: string;
  message: string | undefined;
  /** Straight to SIGKILL, without the stop signal and its grace. */
  force: boolean;
}

/**
 * Ends a task: at once when it is not on a node, else by the Runner's stop ladder.
 * @throws ProblemError `not_found`, `state_conflict` when it has ended
 */
export async function killTask(ctx: Slice, order: KillOrder): Promise<TaskRow> {
  const killed = await ctx.writes.run(async (tx) => {
    const row = await findTask(tx, order.ref);
    if (!(taskVerbs.kill as readonly TaskState[]).includes(row.state)) throw alreadyEnded(row);
    const why = `killed by ${order.actor}${order.message ? `: ${order.message}` : ''}`;
    return isPlaced(row.state)
      ? stopAttempt(tx, row, { stop: { cause: 'killed_by', message: why, kill: order.force }, ctx, actor: order.actor })
      : endUnplaced(tx, row, { why, ctx, actor: order.actor });
  });
  ctx.wakes.reconcile.raise();
  if (killed.node !== null) ctx.wakes.node(killed.node).raise();
  return killed;
}

function alreadyEnded(row: TaskRow): ProblemError {
  const how = row.end === null ? '' : ` (${row.end.cause}: ${row.end.message})`;
  const when = row.endedMs === null ? '' : ` at ${iso(row.endedMs)}`;
  return new ProblemError('state_conflict', `${row.id} has ended as ${row.state}${when}${how}`, {
    fix: 'there is nothing left to kill',
  });
}

async function endUnplaced(
  tx: Transaction,
  row: TaskRow,
  { why, ctx, actor }: { why: string; ctx: Slice; actor: string },
): Promise<TaskRow> {
  const atMs = ctx.clock.now();
  const set = { end: bareEnd('killed_by', why), endedMs: atMs, reason: null };
  return moved(await moveTask(tx, row, { to: 'killed', set, atMs, actor }), row);
}

/** Asks the Runner to stop the present attempt; the answer comes by its report. */
async function stopAttempt(
  tx: Transaction,
  row: TaskRow,
  { stop, ctx, actor }: { stop: StopOrder; ctx: Slice; actor: string },
): Promise<TaskRow> {
  const generation = await bumpGeneration(tx, onNode(row));
  await tx
    .update(attempts)
    .set({ stop, generation, state: 'stopping' })
    .where(and(eq(attempts.task, row.id), eq(attempts.attempt, row.attempt), isNull(attempts.endedMs)));
  const set = { reason: reason('stopping', stop.message) };
  return moved(await moveTask(tx, row, { to: 'stopping', set, atMs: ctx.clock.now(), actor }), row);
}

function onNode(row: TaskRow): NodeId {
  if (row.node === null) throw new Error(`${row.id} is ${row.state} without a node`);
  return row.node;
}

function moved(now: TaskRow | null, row: TaskRow): TaskRow {
  if (now === null) throw new Error(`${row.id} could not be moved from ${row.state}`);
  return now;
}
