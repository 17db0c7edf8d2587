import { and, eq } from 'drizzle-orm';
import { ProblemError } from '../../protocol/problem.ts';
import { reason } from '../../protocol/reason.ts';
import { priorityClasses, type PriorityClass } from '../../protocol/task-spec.ts';
import { isPlaced, taskVerbs, type TaskState, type TaskVerb } from '../../protocol/task-state.ts';
import type { HostContext } from '../context.ts';
import { bumpGeneration } from '../store/generation.ts';
import type { Transaction } from '../store/database.ts';
import { attempts } from '../store/schema.ts';
import { moveTask, type TaskChange } from './move.ts';
import { iso, type TaskRow } from './view.ts';

/** What is asked of one task, besides `kill`. */
export type Order =
  | { verb: 'pause' | 'resume' | 'retry' | 'hold' | 'release' }
  | { verb: 'extend'; timeLimitMs: number | null }
  | { verb: 'prioritise'; priority: PriorityClass };

export interface OrderContext {
  ctx: Pick<HostContext, 'clock'>;
  actor: string;
}

/**
 * Does one verb to one task that is no array.
 * @throws ProblemError `state_conflict` when its state does not allow it
 */
export async function applyOrder(
  tx: Transaction,
  row: TaskRow,
  { order, by }: { order: Order; by: OrderContext },
): Promise<TaskRow> {
  checkAllowed(row, order.verb);
  const atMs = by.ctx.clock.now();
  const move: Mover = (to, set) => moveTask(tx, row, { to, set, atMs, actor: by.actor });
  switch (order.verb) {
    case 'hold':
      return moved(row, await move('held', { reason: reason('held', `held by ${by.actor}`) }));
    case 'release':
      return moved(row, await move('queued', { reason: reason('submitted', `released by ${by.actor}`) }));
    case 'retry':
      return moved(row, await move('queued', { ...fresh, reason: reason('submitted', `tried again by ${by.actor}`) }));
    case 'pause':
    case 'resume':
      await changeAttempt(tx, row, { paused: order.verb === 'pause' });
      return moved(row, await move(row.state, {}));
    case 'extend':
      return extend(tx, row, { timeLimitMs: longer(row, order.timeLimitMs), move });
    case 'prioritise':
      return moved(
        row,
        await move(row.state, {
          priority: priorityClasses[order.priority],
          spec: { ...row.spec, priority: order.priority },
        }),
      );
  }
}

type Mover = (to: TaskState, set: TaskChange) => Promise<TaskRow | null>;

async function extend(
  tx: Transaction,
  row: TaskRow,
  { timeLimitMs, move }: { timeLimitMs: number | null; move: Mover },
): Promise<TaskRow> {
  if (isPlaced(row.state)) await changeAttempt(tx, row, {});
  return moved(row, await move(row.state, { spec: { ...row.spec, timeLimit: timeLimitMs } }));
}

/** What a new attempt begins without. */
const fresh = {
  end: null,
  endedMs: null,
  startedMs: null,
  node: null,
  nodeName: null,
  gpus: [],
  stuck: false,
  failures: 0,
  eligibleMs: null,
} as const;

function checkAllowed(row: TaskRow, verb: TaskVerb): void {
  const allowed: readonly TaskState[] = taskVerbs[verb];
  if (allowed.includes(row.state)) return;
  const since = row.endedMs === null ? '' : ` since ${iso(row.endedMs)}`;
  throw new ProblemError(
    'state_conflict',
    `${row.id} is ${row.state}${since}: ${verb} needs it to be ${allowed.join(' or ')}`,
    {
      fix: 'see `weir task show`',
    },
  );
}

/** @throws ProblemError `invalid_field` when the new limit is already over */
function longer(row: TaskRow, timeLimitMs: number | null): number | null {
  const { timeLimit } = row.spec;
  if (timeLimitMs === null || timeLimit === null || timeLimitMs >= timeLimit || row.startedMs === null)
    return timeLimitMs;
  throw new ProblemError(
    'invalid_field',
    `field /timeLimit: a running task's limit is only extended; it is ${timeLimit} ms`,
    {
      fix: 'give a longer one, or null for none',
      errors: [{ pointer: '/timeLimit', message: `must be at least ${timeLimit} ms` }],
    },
  );
}

/** What is desired of the present attempt changes: the Runner is told. */
async function changeAttempt(tx: Transaction, row: TaskRow, set: { paused?: boolean }): Promise<void> {
  if (row.node === null) throw new Error(`${row.id} is ${row.state} without a node`);
  const generation = await bumpGeneration(tx, row.node);
  await tx
    .update(attempts)
    .set({ ...set, generation })
    .where(and(eq(attempts.task, row.id), eq(attempts.attempt, row.attempt)));
}

function moved(row: TaskRow, now: TaskRow | null): TaskRow {
  if (now === null) throw new Error(`${row.id} could not be changed from ${row.state}`);
  return now;
}
