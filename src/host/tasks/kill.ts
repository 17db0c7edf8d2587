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
import { readAttempt } from './queries.ts';
import { iso, type TaskRow } from './view.ts';

type Slice = Pick<HostContext, 'clock'>;

interface Kill {
  ctx: Slice;
  actor: string;
  message: string | undefined;
  /** Straight to SIGKILL, without the stop signal and its grace. */
  force: boolean;
}

/**
 * Ends a task: at once when it is not on a node, else by the Runner's stop ladder.
 * @throws ProblemError `state_conflict` when it has ended
 */
export async function killRow(tx: Transaction, row: TaskRow, { ctx, actor, message, force }: Kill): Promise<TaskRow> {
  if (!(taskVerbs.kill as readonly TaskState[]).includes(row.state)) throw alreadyEnded(row);
  const why = `killed by ${actor}${message ? `: ${message}` : ''}`;
  return isPlaced(row.state)
    ? stopAttempt(tx, row, { stop: { cause: 'killed_by', message: why, kill: force }, ctx, actor })
    : endUnplaced(tx, row, { why, ctx, actor });
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
  // Force is not taken back by a later order without it.
  const before = await readAttempt(tx, row.id, row.attempt);
  const kill = stop.kill || (before?.stop?.kill ?? false);
  await tx
    .update(attempts)
    .set({ stop: { ...stop, kill }, generation, state: 'stopping' })
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
