import type { NodeView } from '../protocol/node-view.ts';
import { priorityClasses } from '../protocol/task-spec.ts';
import { isPlaced } from '../protocol/task-state.ts';
import type { TaskView } from '../protocol/task-view.ts';

/** The cluster in one screen, worked out of its nodes and of the tasks that have not ended. */
export interface Overview {
  nodes: readonly NodeView[];
  /** By class, the highest first. */
  queue: readonly QueueLine[];
  running: readonly OwnerLine[];
  attention: readonly Attention[];
}

export interface QueueLine {
  priority: string;
  tasks: number;
  /** When the oldest of them was submitted. */
  since: string;
  /** Why they wait, the commonest first. */
  reasons: readonly { code: string; tasks: number }[];
}

export interface OwnerLine {
  owner: string;
  tasks: number;
  cpus: number;
  memory: number;
  gpus: number;
}

/** What somebody should look at: the name of it, and what is wrong. */
export interface Attention {
  subject: string;
  what: string;
}

export function overviewOf(nodes: readonly NodeView[], tasks: readonly TaskView[]): Overview {
  return {
    nodes,
    queue: queueOf(tasks),
    running: runningOf(tasks),
    attention: [...nodes.flatMap(nodeTrouble), ...tasks.flatMap(taskTrouble)],
  };
}

/** How many of a row of the list wait, or run: an array stands for its members. */
function queuedIn({ state, members }: TaskView): number {
  return members ? (members['queued'] ?? 0) : Number(state === 'queued');
}

function placedIn({ state, members }: TaskView): number {
  if (!members) return Number(isPlaced(state));
  return Object.entries(members).reduce(
    (sum, [name, count]) => sum + (isPlaced(name as TaskView['state']) ? count : 0),
    0,
  );
}

function queueOf(tasks: readonly TaskView[]): QueueLine[] {
  const waiting = tasks.filter((task) => queuedIn(task) > 0);
  const groups = groupBy(waiting, ({ priority }) => priority);
  const height = (name: string): number => (priorityClasses as Readonly<Record<string, number>>)[name] ?? 0;
  return [...groups]
    .map(([priority, all]) => ({
      priority,
      tasks: sum(all, queuedIn),
      since: all.map(({ createdAt }) => createdAt).toSorted()[0] ?? '',
      reasons: [...groupBy(all, ({ reason }) => reason?.code ?? 'submitted')]
        .map(([code, same]) => ({ code, tasks: sum(same, queuedIn) }))
        .toSorted((a, b) => b.tasks - a.tasks),
    }))
    .toSorted((a, b) => height(b.priority) - height(a.priority));
}

function runningOf(tasks: readonly TaskView[]): OwnerLine[] {
  const placed = tasks.filter((task) => placedIn(task) > 0);
  return [...groupBy(placed, ({ owner }) => owner)]
    .map(([owner, all]) => ({
      owner,
      tasks: sum(all, placedIn),
      cpus: sum(all, (task) => placedIn(task) * asked(task, 'cpus')),
      memory: sum(all, (task) => placedIn(task) * asked(task, 'memory')),
      gpus: sum(all, (task) => (task.members ? placedIn(task) * gpusAsked(task) : task.gpus.length)),
    }))
    .toSorted((a, b) => b.tasks - a.tasks || (a.owner < b.owner ? -1 : 1));
}

const fieldsOf = (value: unknown): Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};

function asked({ spec }: TaskView, what: 'cpus' | 'memory'): number {
  const amount = fieldsOf(spec['resources'])[what];
  return typeof amount === 'number' ? amount : 0;
}

function gpusAsked({ spec }: TaskView): number {
  const { count, uuids } = fieldsOf(fieldsOf(spec['resources'])['gpus']);
  return typeof count === 'number' ? count : Array.isArray(uuids) ? uuids.length : 0;
}

function nodeTrouble({ name, state, held, load }: NodeView): Attention[] {
  return [
    ...(state === 'ready' ? [] : [{ subject: name, what: state }]),
    ...(held ? [{ subject: name, what: held.reason }] : []),
    ...(load?.gpuFault ? [{ subject: name, what: load.gpuFault }] : []),
  ];
}

/** Reasons that waiting does not cure. */
const troubles: readonly string[] = ['impossible', 'gpu_missing', 'internal', 'node_unreachable'];

function taskTrouble({ id, name, stuck, reason }: TaskView): Attention[] {
  const subject = name === id ? id : `${id} ${name}`;
  if (stuck) return [{ subject, what: 'does not stop: its processes do not die' }];
  if (!reason || !troubles.includes(reason.code)) return [];
  return [{ subject, what: `${reason.code}: ${reason.message}` }];
}

function groupBy<T>(items: readonly T[], keyOf: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const group = groups.get(keyOf(item));
    if (group) group.push(item);
    else groups.set(keyOf(item), [item]);
  }
  return groups;
}

function sum<T>(items: readonly T[], amountOf: (item: T) => number): number {
  return items.reduce((all, item) => all + amountOf(item), 0);
}
