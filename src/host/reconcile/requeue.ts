import { and, eq, isNull } from 'drizzle-orm';
import { formatDuration } from '../../lib/duration.ts';
import { reason } from '../../protocol/reason.ts';
import { bareEnd } from '../../protocol/task-end.ts';
import type { HostContext } from '../context.ts';
import { bumpGeneration } from '../store/generation.ts';
import type { Transaction } from '../store/database.ts';
import { attempts, tasks } from '../store/schema.ts';
import { moveTask } from '../tasks/move.ts';
import type { AttemptRow, TaskRow } from '../tasks/view.ts';

type Slice = Pick<HostContext, 'db' | 'writes' | 'clock' | 'presence' | 'wakes' | 'log'>;

/** A Runner reckons its lease from the last answer that it got, which this Host may have sent a hold earlier. */
const marginMs = 60_000;

interface Live {
  attempt: AttemptRow;
  task: TaskRow;
}

/**
 * Gives up attempts whose owner asked to be requeued, once their node has been silent for the lease and the grace of its
 * stop: by then its Runner has stopped them by itself. `countsFromMs`: silence before it counts for nothing.
 */
export async function requeueLost(ctx: Slice, countsFromMs: number): Promise<void> {
  const live = await ctx.db
    .select({ attempt: attempts, task: tasks })
    .from(attempts)
    .innerJoin(tasks, and(eq(tasks.id, attempts.task), eq(tasks.attempt, attempts.attempt)))
    .where(isNull(attempts.endedMs));
  const lost = live.filter((one) => isOver(ctx, one, countsFromMs));
  if (lost.length === 0) return;
  await ctx.writes.run(async (tx) => {
    for (const one of lost) await requeue(tx, one, ctx.clock.now());
  });
  for (const { task } of lost)
    ctx.log.warn({ task: task.id, node: task.node }, 'its lease is over: the task is requeued');
  ctx.wakes.reconcile.raise();
}

function isOver({ clock, presence }: Slice, { attempt, task }: Live, countsFromMs: number): boolean {
  const { onNodeLoss, nodeLossLease, stopGrace } = task.spec;
  if (onNodeLoss !== 'requeue' || nodeLossLease === undefined) return false;
  const contactMs = Math.max(presence.lastContactMs(attempt.node) ?? 0, countsFromMs);
  return clock.monotonic() - contactMs >= nodeLossLease + stopGrace + marginMs;
}

async function requeue(tx: Transaction, { attempt, task }: Live, atMs: number): Promise<void> {
  const lease = formatDuration(task.spec.nodeLossLease ?? 0);
  const end = bareEnd('node_lost', `${attempt.nodeName} stayed away longer than the lease of ${lease}`);
  const given = await tx
    .update(attempts)
    .set({ state: 'lost', end, endedMs: atMs })
    .where(and(eq(attempts.task, attempt.task), eq(attempts.attempt, attempt.attempt), isNull(attempts.endedMs)))
    .returning({ task: attempts.task });
  if (given.length === 0) return;
  await bumpGeneration(tx, attempt.node);
  const set = {
    node: null,
    nodeName: null,
    gpus: [],
    startedMs: null,
    stuck: false,
    reason: reason('requeued', end.message),
  };
  await moveTask(tx, task, {
    to: task.state === 'stopping' ? 'lost' : 'queued',
    set: { ...set, ...ending(task, { end, atMs }) },
    atMs,
  });
}

/** Told to stop before it was lost: it is not begun anew. */
function ending(task: TaskRow, { end, atMs }: { end: AttemptRow['end']; atMs: number }) {
  return task.state === 'stopping' ? { end, endedMs: atMs, reason: null } : {};
}
