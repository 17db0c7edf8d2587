import { and, eq } from 'drizzle-orm';
import { canMove, type TaskState } from '../../protocol/task-state.ts';
import { appendEvents } from '../events/append.ts';
import type { Transaction } from '../store/database.ts';
import { tasks } from '../store/schema.ts';
import { followMember } from './array.ts';
import { toTaskSummary, type TaskRow } from './view.ts';

/** What a change may set besides the state. */
export type TaskChange = Partial<
  Pick<
    TaskRow,
    | 'node'
    | 'nodeName'
    | 'attempt'
    | 'gpus'
    | 'reason'
    | 'stuck'
    | 'end'
    | 'startedMs'
    | 'endedMs'
    | 'eligibleMs'
    | 'failures'
    | 'spec'
    | 'priority'
  >
>;

interface Move {
  to: TaskState;
  set?: TaskChange;
  atMs: number;
  actor?: string;
}

/**
 * Moves a task along an arrow of the table (or changes it within its state), guarded by the revision that was read,
 * and tells of it by an event. Answers the row as it is now, or `null` when it had moved on or has no such arrow.
 */
export async function moveTask(
  tx: Transaction,
  row: TaskRow,
  { to, set = {}, atMs, actor }: Move,
): Promise<TaskRow | null> {
  const stays = row.state === to;
  if (!stays && !canMove(row.state, to)) return null;
  const changed = await tx
    .update(tasks)
    .set({ ...set, state: to, rev: row.rev + 1 })
    .where(and(eq(tasks.id, row.id), eq(tasks.rev, row.rev)))
    .returning();
  const now = changed[0];
  if (!now) return null;
  await appendEvents(tx, [
    {
      atMs,
      type: stays ? 'task.updated' : `task.${to}`,
      subject: { kind: 'task', id: now.id },
      rev: now.rev,
      ...(now.attempt > 0 ? { attempt: now.attempt } : {}),
      ...(actor === undefined ? {} : { actor }),
      data: { ...toTaskSummary(now) },
    },
  ]);
  await followMember(tx, now, { from: row.state, atMs });
  return now;
}
