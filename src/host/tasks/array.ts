import { and, eq } from 'drizzle-orm';
import { arrayState, countMove } from '../../protocol/array-state.ts';
import { arrayOf } from '../../protocol/ids.ts';
import { isEnded, type TaskState } from '../../protocol/task-state.ts';
import { appendEvents } from '../events/append.ts';
import type { Transaction } from '../store/database.ts';
import { tasks } from '../store/schema.ts';
import { toTaskSummary, type TaskRow } from './view.ts';

/** Keeps the array of a member in step with a move of it; nothing happens for a task that is none. */
export async function followMember(tx: Transaction, member: TaskRow, { from, atMs }: { from: TaskState; atMs: number }): Promise<void> {
  const place = arrayOf(member.id);
  if (place === null || from === member.state) return;
  const rows = await tx.select().from(tasks).where(eq(tasks.id, place.array));
  const [array] = rows;
  if (!array?.members) return;
  const members = countMove(array.members, from, member.state);
  const state = arrayState(members);
  const ended = isEnded(state);
  const changed = await tx
    .update(tasks)
    .set({
      members,
      state,
      rev: array.rev + 1,
      reason: null,
      startedMs: array.startedMs ?? member.startedMs,
      endedMs: ended ? atMs : null,
    })
    .where(and(eq(tasks.id, array.id), eq(tasks.rev, array.rev)))
    .returning();
  const [now] = changed;
  if (!now) throw new Error(`array ${array.id} moved on inside one transaction`);
  await appendEvents(tx, [
    {
      atMs,
      type: state === array.state ? 'task.updated' : `task.${state}`,
      subject: { kind: 'task', id: now.id },
      rev: now.rev,
      data: { ...toTaskSummary(now), members },
    },
  ]);
}
