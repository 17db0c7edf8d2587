import { batchId, taskId, type BatchId, type TaskId } from '../../protocol/ids.ts';
import { ProblemError } from '../../protocol/problem.ts';
import type { StoredTaskSpec, TaskSpec } from '../../protocol/task-spec.ts';
import type { HostContext } from '../context.ts';
import { appendEvents } from '../events/append.ts';
import { couldEverFit } from '../scheduling/constraints.ts';
import { takeNumbers } from '../store/counters.ts';
import type { Transaction } from '../store/database.ts';
import { taskLabels, tasks } from '../store/schema.ts';
import { acceptSpec } from './accept.ts';
import { madeBefore, rememberMade, type Replayable } from './idempotency.ts';
import { newRows } from './new-rows.ts';
import { readSnapshotNodes, toSnapshotTask } from './snapshot.ts';
import { toTaskSummary, type TaskRow } from './view.ts';

export interface Submission {
  specs: readonly TaskSpec[];
  /** Where the spec of this number stands in the body, as a JSON pointer. */
  pointer: (at: number) => string;
  /** Whom the tasks belong to where the spec does not say. */
  owner: string;
  /** They belong together, under one batch id. */
  batch: boolean;
  /** Refuse what no node could ever run, instead of keeping it with that reason. */
  strict: boolean;
  replayable: Replayable | null;
}

type Slice = Pick<HostContext, 'writes' | 'clock' | 'wakes' | 'presence' | 'config'>;

/** Members of arrays count too. */
const mostRows = 10_001;

/**
 * Stores tasks as `queued` (or `held`), all or none, durable when it resolves; answers their ids, of an array that of the
 * array alone. A repeated request answers what the first made.
 * @throws ProblemError `invalid_field`, `impossible` (strict), `idempotency_mismatch`
 */
export async function submitTasks(ctx: Slice, submission: Submission): Promise<TaskId[]> {
  checkBatch(submission, ctx.config.maxBatch);
  const ids = await ctx.writes.run(async (tx) => {
    const { replayable } = submission;
    const before = replayable === null ? null : await madeBefore(tx, replayable);
    if (before) return before as TaskId[];
    const nowMs = ctx.clock.now();
    const rows = await makeRows(ctx, tx, { submission, nowMs });
    if (submission.strict) await checkPossible(ctx, tx, rows);
    await insertRows(tx, rows, { actor: submission.owner, nowMs });
    const made = rows.filter((row) => row.id === taskId.fromCounter(taskId.toCounter(row.id))).map((row) => row.id);
    if (replayable) await rememberMade(tx, replayable, { ids: made, nowMs });
    return made;
  });
  ctx.wakes.reconcile.raise();
  return ids;
}

async function makeRows(
  ctx: Slice,
  tx: Transaction,
  { submission, nowMs }: { submission: Submission; nowMs: number },
): Promise<TaskRow[]> {
  const { specs, pointer, owner } = submission;
  const accepted: StoredTaskSpec[] = [];
  for (const [at, spec] of specs.entries())
    accepted.push(await acceptSpec(tx, spec, { config: ctx.config, pointer: pointer(at) }));
  const first = await takeNumbers(tx, 'task', specs.length);
  const batch = submission.batch ? await newBatch(tx) : null;
  const rows = accepted.flatMap((spec, at) => newRows({ spec, number: first + at, owner, batch, nowMs }));
  if (rows.length <= mostRows) return rows;
  throw new ProblemError(
    'invalid_field',
    `the arrays of this batch have ${rows.length} members in all; at most ${mostRows - 1}`,
    {
      fix: 'submit them in several requests',
    },
  );
}

function checkBatch({ specs }: Submission, most: number): void {
  if (specs.length <= most) return;
  throw new ProblemError('invalid_field', `the batch has ${specs.length} tasks; this Host takes at most ${most}`, {
    fix: 'submit them in several requests; an operator sets tasks.maxBatch',
  });
}

async function newBatch(tx: Transaction): Promise<BatchId> {
  return batchId.fromCounter(await takeNumbers(tx, 'batch', 1));
}

async function insertRows(
  tx: Transaction,
  rows: readonly TaskRow[],
  { actor, nowMs }: { actor: string; nowMs: number },
): Promise<void> {
  for (let from = 0; from < rows.length; from += rowsAtOnce) {
    await tx.insert(tasks).values(rows.slice(from, from + rowsAtOnce));
  }
  const labels = rows.flatMap((row) =>
    Object.entries(row.spec.labels).map(([key, value]) => ({ key, value, task: row.id })),
  );
  for (let from = 0; from < labels.length; from += rowsAtOnce) {
    await tx.insert(taskLabels).values(labels.slice(from, from + rowsAtOnce));
  }
  await appendEvents(
    tx,
    rows.map((row) => ({
      atMs: nowMs,
      type: `task.${row.state}`,
      subject: { kind: 'task', id: row.id },
      rev: row.rev,
      actor,
      data: { ...toTaskSummary(row) },
    })),
  );
}

/** Rows in one statement, bounded by SQLite's 32,766 bound values. */
const rowsAtOnce = 500;

async function checkPossible(ctx: Slice, tx: Transaction, rows: readonly TaskRow[]): Promise<void> {
  const nodes = await readSnapshotNodes(ctx, tx);
  const first = taskId.toCounter(rows[0]?.id ?? taskId.fromCounter(0));
  const one = rows.every((row) => taskId.toCounter(row.id) === first);
  for (const row of rows) {
    if (couldEverFit(toSnapshotTask(row), nodes)) continue;
    const which = one ? 'it' : `task ${taskId.toCounter(row.id) - first} of the batch`;
    throw new ProblemError('impossible', `no node could ever run ${which}`, {
      fix: 'ask for less, drop a constraint, or submit without strict to wait for a node that can',
    });
  }
}
