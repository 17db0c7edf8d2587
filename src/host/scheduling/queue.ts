import { byText } from './nodes.ts';
import type { Shape, ShapeBook } from './shape.ts';
import type { Policy, Snapshot, SnapshotTask, TaskGroup } from './snapshot.ts';

/** A queued task as a pass sees it. */
export interface Entry {
  readonly id: string;
  readonly order: number;
  readonly priority: number;
  readonly shape: Shape;
  /** What it is reckoned with. */
  readonly limitMs: number;
  /** Took the reservation in an earlier pass: goes first in its class until it starts. */
  holds: boolean;
  readonly group: TaskGroup | null;
  /** `capped`: its group has no room for it; the walk passes over it. */
  outcome: 'unseen' | 'capped' | 'waits' | 'starts' | { fault: string };
}

export interface Fault {
  taskId: string;
  message: string;
}

/** Entries in the order of the queue; tasks that cannot even be read are faults of their own. */
export interface Queue {
  readonly entries: readonly Entry[];
  readonly faults: readonly Fault[];
}

export function readQueue(snapshot: Snapshot, policy: Policy, book: ShapeBook): Queue {
  const holders = new Set(snapshot.held.reservations.map((reservation) => reservation.taskId));
  const entries: Entry[] = [];
  const faults: Fault[] = [];
  for (const task of snapshot.queued) {
    try {
      entries.push(readEntry(task, book.shapeOf(task), policy));
    } catch (error) {
      faults.push({ taskId: task.id, message: messageOf(error) });
    }
  }
  for (const entry of entries) if (holders.has(entry.id)) entry.holds = true;
  entries.sort(inOrder);
  capGroups(entries);
  return {
    entries,
    faults: faults.sort((a, b) => byText(a.taskId, b.taskId)),
  };
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function readEntry(task: SnapshotTask, shape: Shape, policy: Policy): Entry {
  return {
    id: task.id,
    order: whole('order', task.order),
    priority: whole('priority', task.priority),
    shape,
    limitMs: whole('limitMs', task.limitMs ?? policy.defaultLimitMs),
    holds: false,
    group: task.group === undefined ? null : readGroup(task.group),
    outcome: 'unseen',
  };
}

/**
 * The first of a group get its room, whether they can start or not: were it given to later ones, the
 * answer to each would hang on what started meanwhile. Who holds a reservation is no earlier for it.
 */
function capGroups(entries: readonly Entry[]): void {
  const seen = new Map<string, number>();
  const members = entries.filter(({ group }) => group !== null);
  if (members.some(({ holds }) => holds)) members.sort(firstCome);
  for (const entry of members) {
    if (entry.group === null) continue;
    const { id, room } = entry.group;
    const before = seen.get(id) ?? 0;
    if (before < room) seen.set(id, before + 1);
    else entry.outcome = 'capped';
  }
}

function readGroup(group: TaskGroup): TaskGroup {
  whole('room', group.room);
  return group;
}

function whole(name: string, value: number): number {
  if (Number.isSafeInteger(value)) return value;
  throw new RangeError(`${name} must be a whole number, not ${value}`);
}

/** Strict between classes; inside one the holder of a reservation, then first come, first served. */
function inOrder(a: Entry, b: Entry): number {
  if (a.priority !== b.priority) return b.priority - a.priority;
  if (a.holds !== b.holds) return a.holds ? -1 : 1;
  return firstCome(a, b);
}

function firstCome(a: Entry, b: Entry): number {
  return b.priority - a.priority || a.order - b.order || byText(a.id, b.id);
}
