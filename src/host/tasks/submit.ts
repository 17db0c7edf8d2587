import { taskId, type TaskId } from '../../protocol/ids.ts';
import { ProblemError } from '../../protocol/problem.ts';
import { reason } from '../../protocol/reason.ts';
import { priorityClasses, type TaskSpec } from '../../protocol/task-spec.ts';
import type { HostContext } from '../context.ts';
import { appendEvents } from '../events/append.ts';
import { couldEverFit } from '../scheduling/constraints.ts';
import { takeNumbers } from '../store/counters.ts';
import type { Transaction } from '../store/database.ts';
import { taskLabels, tasks } from '../store/schema.ts';
import { madeBefore, rememberMade, type Replayable } from './idempotency.ts';
import { findNodeId } from './queries.ts';
import { readSnapshotNodes, toSnapshotTask } from './snapshot.ts';
import { toTaskSummary, type TaskRow } from './view.ts';

export interface Submission {
  specs: readonly TaskSpec[];
  /** Whom the tasks belong to where the spec does not say. */
  owner: string;
  /** Refuse what no node could ever run, instead of keeping it with that reason. */
  strict: boolean;
  replayable: Replayable | null;
}

type Slice = Pick<HostContext, 'writes' | 'clock' | 'wakes' | 'presence'>;

/**
 * Stores tasks as `queued`, all or none, durable when it resolves. A repeated request answers what the first made.
 * @throws ProblemError `invalid_field` (unknown node), `impossible` (strict), `idempotency_mismatch`
 */
export async function submitTasks(ctx: Slice, submission: Submission): Promise<TaskId[]> {
  const ids = await ctx.writes.run(async (tx) => {
    const { replayable } = submission;
    const before = replayable === null ? null : await madeBefore(tx, replayable);
    if (before) return before as TaskId[];
    await checkPlacement(tx, submission.specs);
    if (submission.strict) await checkPossible(ctx, tx, submission.specs);
    const nowMs = ctx.clock.now();
    const made = await insertTasks(tx, submission, nowMs);
    if (replayable) await rememberMade(tx, replayable, { ids: made, nowMs });
    return made;
  });
  ctx.wakes.reconcile.raise();
  return ids;
}

async function insertTasks(tx: Transaction, { specs, owner }: Submission, nowMs: number): Promise<TaskId[]> {
  const first = await takeNumbers(tx, 'task', specs.length);
  const rows = specs.map((spec, at) => newRow(spec, { id: taskId.fromCounter(first + at), owner, nowMs }));
  for (let from = 0; from < rows.length; from += rowsAtOnce) {
    await tx.insert(tasks).values(rows.slice(from, from + rowsAtOnce));
  }
  const labels = rows.flatMap((row) => Object.entries(row.spec.labels).map(([key, value]) => ({ key, value, task: row.id })));
  for (let from = 0; from < labels.length; from += rowsAtOnce) {
    await tx.insert(taskLabels).values(labels.slice(from, from + rowsAtOnce));
  }
  await appendEvents(
    tx,
    rows.map((row) => ({
      atMs: nowMs,
      type: 'task.queued',
      subject: { kind: 'task', id: row.id },
      rev: row.rev,
      actor: owner,
      data: { ...toTaskSummary(row), labels: row.spec.labels },
    })),
  );
  return rows.map((row) => row.id);
}

/** Rows in one statement, bounded by SQLite's 32,766 bound values. */
const rowsAtOnce = 500;

function newRow(spec: TaskSpec, { id, owner, nowMs }: { id: TaskId; owner: string; nowMs: number }): TaskRow {
  return {
    id,
    name: spec.name ?? id,
    owner: spec.owner ?? owner,
    state: 'queued',
    stuck: false,
    priority: priorityClasses[spec.priority],
    spec,
    node: null,
    nodeName: null,
    attempt: 0,
    gpus: [],
    rev: 1,
    reason: reason('submitted', 'it has just been submitted'),
    end: null,
    createdMs: nowMs,
    startedMs: null,
    endedMs: null,
  };
}

async function checkPlacement(tx: Transaction, specs: readonly TaskSpec[]): Promise<void> {
  for (const [at, spec] of specs.entries()) {
    const { node } = spec.placement;
    if (node === null || (await findNodeId(tx, node)) !== null) continue;
    const pointer = specs.length === 1 ? '/placement/node' : `/${at}/placement/node`;
    throw new ProblemError('invalid_field', `field ${pointer}: there is no node "${node}"`, {
      fix: 'see `weir node list`',
      errors: [{ pointer, message: `there is no node "${node}"` }],
    });
  }
}

async function checkPossible(ctx: Slice, tx: Transaction, specs: readonly TaskSpec[]): Promise<void> {
  const nodes = await readSnapshotNodes(ctx, tx);
  for (const [at, spec] of specs.entries()) {
    const row = newRow(spec, { id: taskId.fromCounter(0), owner: '', nowMs: 0 });
    if (couldEverFit(toSnapshotTask(row), nodes)) continue;
    throw new ProblemError('impossible', `no node could ever run ${specs.length === 1 ? 'it' : `task ${at} of the batch`}`, {
      fix: 'ask for less, drop a constraint, or submit without strict to wait for a node that can',
    });
  }
}
