import { placedStates, type TaskState } from './task-state.ts';

export type MemberCounts = Partial<Record<TaskState, number>>;

/** The worst end decides what is said of an array that has ended. */
const endsByWeight = ['failed', 'lost', 'killed', 'rejected', 'succeeded'] as const;

/** The state of an array, which follows from those of its members. */
export function arrayState(counts: MemberCounts): TaskState {
  const has = (state: TaskState): boolean => (counts[state] ?? 0) > 0;
  if (placedStates.some(has)) return 'running';
  if (has('queued')) return 'queued';
  if (has('held')) return 'held';
  return endsByWeight.find(has) ?? 'succeeded';
}

/** The counts after one member went from a state to another; `null` for one that is new. */
export function countMove(counts: MemberCounts, from: TaskState | null, to: TaskState): MemberCounts {
  const moved = { ...counts, [to]: (counts[to] ?? 0) + 1 };
  if (from === null) return moved;
  const left = (moved[from] ?? 0) - 1;
  return Object.fromEntries(Object.entries({ ...moved, [from]: left }).filter(([, count]) => count > 0));
}
