import { and, eq, isNotNull, isNull } from 'drizzle-orm';
import type { NodeId } from '../../protocol/ids.ts';
import { reason, type Reason } from '../../protocol/reason.ts';
import { observedText, type Ack, type Observation } from '../../protocol/sync.ts';
import { endedState, type End } from '../../protocol/task-end.ts';
import { retryAfterMs } from '../../protocol/task-retry.ts';
import { ProblemError } from '../../protocol/problem.ts';
import { canMove, type TaskState } from '../../protocol/task-state.ts';
import { bumpGeneration } from '../store/generation.ts';
import type { Queryable, Transaction } from '../store/database.ts';
import { attempts } from '../store/schema.ts';
import { moveTask, type TaskChange } from '../tasks/move.ts';
import { readAttempt, readTask } from '../tasks/queries.ts';
import type { AttemptRow, TaskRow } from '../tasks/view.ts';

interface ReportTime {
  node: NodeId;
  nowMs: number;
}

/**
 * Takes over what a Runner saw of one attempt, if it is assigned to that Runner; what it says of anything else
 * changes nothing and is answered with a verdict.
 */
export async function applyObservation(tx: Transaction, seen: Observation, at: ReportTime): Promise<Ack> {
  const ack = { task: seen.task, attempt: seen.attempt, state: seen.state };
  const attempt = await readAttempt(tx, seen.task, seen.attempt);
  const task = await readTask(tx, seen.task);
  if (!task || !attempt || attempt.node !== at.node) {
    const fenced = task !== null && task.attempt > seen.attempt;
    return { ...ack, verdict: fenced ? 'superseded' : 'unknown' };
  }
  if (attempt.endedMs !== null) return { ...ack, verdict: seen.state === 'ended' ? 'kept' : 'superseded' };
  if (seen.state === 'ended') await endAttempt(tx, { task, attempt, seen }, at);
  else await updateAttempt(tx, { task, attempt, seen }, at);
  return { ...ack, verdict: 'kept' };
}

interface Report {
  task: TaskRow;
  attempt: AttemptRow;
  seen: Observation;
}

async function endAttempt(
  tx: Transaction,
  { task, attempt, seen }: Report,
  { node, nowMs }: ReportTime,
): Promise<void> {
  if (seen.end === null) throw senseless(seen, 'it is said to have ended, without its end');
  const end: End = seen.end;
  const state = endedState(end);
  if (!canMove(attempt.state, state))
    throw senseless(seen, `it is ${attempt.state} and cannot end as ${state} (${end.cause})`);
  const startedMs = startOf(attempt, seen, nowMs);
  const endedMs = clamp(seen.at, startedMs ?? attempt.assignedMs, nowMs);
  await tx
    .update(attempts)
    .set({ state, observed: 'ended', stuck: false, startedMs, endedMs, end })
    .where(sameAttempt(attempt));
  await bumpGeneration(tx, node);
  if (task.attempt !== attempt.attempt) return;
  const again = attempt.stop === null ? anotherAttempt(task, end, nowMs) : null;
  const move =
    again === null
      ? { to: state, set: { end, startedMs, endedMs, reason: null, stuck: false } }
      : { to: 'queued' as const, set: again };
  if ((await moveTask(tx, task, { ...move, atMs: nowMs })) === null) {
    throw new Error(`${task.id} cannot go from ${task.state} to ${move.to}`);
  }
}

const unplaced = { node: null, nodeName: null, gpus: [], startedMs: null, stuck: false } as const;

/** What the task waits for when its end is followed by another attempt; `null` when it is not. The attempt keeps its end. */
function anotherAttempt(task: TaskRow, end: End, nowMs: number): TaskChange | null {
  if (end.cause === 'node_lost' && task.spec.onNodeLoss === 'requeue')
    return { ...unplaced, reason: reason('requeued', end.message) };
  const afterMs = retryAfterMs(task.spec.retry, end, task.failures + 1);
  return afterMs === null ? null : tryAgain(task, end, nowMs + afterMs);
}

function tryAgain(task: TaskRow, end: End, eligibleMs: number): TaskChange {
  const failures = task.failures + 1;
  const message = `attempt ${task.attempt} ended as ${end.cause} (${end.message}); retry ${failures} of ${task.spec.retry?.limit ?? 0}`;
  return { ...unplaced, failures, eligibleMs, reason: reason('retry', message) };
}

async function updateAttempt(tx: Transaction, { task, attempt, seen }: Report, { nowMs }: ReportTime): Promise<void> {
  if (seen.state === 'ended') return;
  // Told to stop is ahead of what the Runner has seen: it is not taken back.
  const state: TaskState = attempt.stop !== null ? 'stopping' : laterOf(attempt.state, seen.state);
  const startedMs = startOf(attempt, seen, nowMs);
  await tx
    .update(attempts)
    .set({ state, observed: seen.state, stuck: seen.stuck, startedMs })
    .where(sameAttempt(attempt));
  if (task.attempt !== attempt.attempt) return;
  const now = reasonOf(task, seen, state);
  const unchanged =
    task.state === state &&
    task.stuck === seen.stuck &&
    task.startedMs === startedMs &&
    task.reason?.message === now?.message;
  if (unchanged) return;
  await moveTask(tx, task, { to: state, set: { startedMs, stuck: seen.stuck, reason: now }, atMs: nowMs });
}

/** A report that was overtaken by a later one does not turn the state back. */
function laterOf(now: TaskState, seen: TaskState): TaskState {
  return canMove(now, seen) ? seen : now;
}

function senseless(seen: Observation, why: string): ProblemError {
  return new ProblemError('invalid_field', `field /changes: ${seen.task} attempt ${seen.attempt}: ${why}`);
}

function sameAttempt(attempt: AttemptRow) {
  return and(eq(attempts.task, attempt.task), eq(attempts.attempt, attempt.attempt));
}

function reasonOf(task: TaskRow, seen: Observation, state: TaskState): Reason | null {
  if (seen.stuck) return reason('stuck', 'it was told to stop and killed, and still runs');
  if (state === 'pulling') return reason('pulling', seen.progress ?? `the node gets ${task.spec.image}`);
  if (state === 'starting') return reason('starting', seen.progress ?? 'the container is being started');
  if (task.reason?.code === 'gpu_missing' && state !== 'stopping') return task.reason;
  return state === 'stopping' ? (task.reason ?? reason('stopping', 'it was told to stop')) : null;
}

/** The Runner reckons in Host time; what it says is kept between the assignment and now. */
function startOf(attempt: AttemptRow, seen: Observation, nowMs: number): number | null {
  if (attempt.startedMs !== null) return attempt.startedMs;
  return seen.startedAt === null ? null : clamp(seen.startedAt, attempt.assignedMs, nowMs);
}

function clamp(value: number, least: number, most: number): number {
  return Math.max(least, Math.min(value, most));
}

/** What the Host holds to be observed on a node and not ended, as the text that both sides hash. */
export async function storedObservations(db: Queryable, node: NodeId): Promise<string> {
  const rows = await db
    .select({ task: attempts.task, attempt: attempts.attempt, state: attempts.observed, stuck: attempts.stuck })
    .from(attempts)
    .where(and(eq(attempts.node, node), isNull(attempts.endedMs), isNotNull(attempts.observed)));
  return observedText(rows.flatMap(({ state, ...row }) => (state === null ? [] : [{ ...row, state }])));
}
