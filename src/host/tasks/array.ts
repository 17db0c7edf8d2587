import { and, eq } from 'drizzle-orm';
import { arrayState, countMove } from '../../protocol/array-state.ts';
import { arrayOf } from '../../protocol/ids.ts';
import { isEnded, type TaskState } from '../../protocol/task-state.ts';
import { appendEvents } from '../events/append.ts';
import type { Transaction } from '../store/database.ts';
import { tasks } from '../store/schema.ts';
import { toTaskSummary, type TaskRow } from './view.ts';

/** Keeps the array of a member in step with a move of it; nothing happens for a task that is none. */
export async function followMember(
  tx: Transaction,
  member: TaskRow,
  { from, atMs }: { from: TaskState; atMs: number },
): Promise<void> {
  const place = arrayOf(member.id);
  if (place === null || from === member.state) return;
  // Moves of other members may run beside this one in the same transaction: whoever comes second counts anew.
  for (;;) {
    const rows = await tx.select().from(tasks).where(eq(tasks.id, place.array));
    const [array] = rows;
    if (!array?.members || (await count(tx, array, { member, from, atMs }))) return;
  }
}

/** False when the array was changed since it was read. */
async function count(
  tx: Transaction,
  array: TaskRow,
  { member, from, atMs }: { member: TaskRow; from: TaskState; atMs: number },
): Promise<boolean> {
  const members = countMove(array.members ?? {}, from, member.state);
  const state = arrayState(members);
  const startedMs = array.startedMs ?? member.startedMs;
  const changed = await tx
    .update(tasks)
    .set({ members, state, rev: array.rev + 1, reason: null, startedMs, endedMs: isEnded(state) ? atMs : null })
    .where(and(eq(tasks.id, array.id), eq(tasks.rev, array.rev)))
    .returning();
  const [now] = changed;
  if (!now) return false;
  await appendEvents(tx, [
    {
      atMs,
      type: state === array.state ? 'task.updated' : `task.${state}`,
      subject: { kind: 'task', id: now.id },
      rev: now.rev,
      data: { ...toTaskSummary(now), members },
    },
  ]);
  return true;
}
