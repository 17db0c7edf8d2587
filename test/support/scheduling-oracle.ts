import { couldEverFit, matches } from '../../src/host/scheduling/constraints.ts';
import type { Plan } from '../../src/host/scheduling/plan.ts';
import { schedule } from '../../src/host/scheduling/schedule.ts';
import type { Snapshot, SnapshotTask } from '../../src/host/scheduling/snapshot.ts';
import { gib, gpus, node, policy, reasonOf } from './scheduling-cluster.ts';

export interface Free {
  cpuMilli: number;
  memoryBytes: number;
  gpus: string[];
}

/** What is free by plain subtraction; a GPU given twice is given back as an error. */
export function freeOn(snapshot: Snapshot): Map<string, Free> {
  const free = new Map<string, Free>();
  for (const { id, capacity } of snapshot.nodes) {
    free.set(id, { ...capacity, gpus: capacity.gpus.map(({ uuid }) => uuid) });
  }
  for (const allocation of snapshot.allocations) {
    const left = free.get(allocation.nodeId);
    if (!left) continue;
    left.cpuMilli -= allocation.cpuMilli;
    left.memoryBytes -= allocation.memoryBytes;
    for (const uuid of allocation.gpuUuids) {
      if (!left.gpus.includes(uuid))
        throw new Error(`${uuid} is taken twice on ${allocation.nodeId}`);
      left.gpus = left.gpus.filter((other) => other !== uuid);
    }
  }
  return free;
}

export function wantedGpus({ gpus: wanted }: SnapshotTask): number {
  if (wanted === null) return 0;
  return 'count' in wanted ? wanted.count : wanted.uuids.length;
}

export function fits(task: SnapshotTask, free: Free): boolean {
  const named = task.gpus !== null && 'uuids' in task.gpus ? task.gpus.uuids : [];
  return (
    task.cpuMilli <= free.cpuMilli &&
    task.memoryBytes <= free.memoryBytes &&
    wantedGpus(task) <= free.gpus.length &&
    named.every((uuid) => free.gpus.includes(uuid))
  );
}

export function openNodes(task: SnapshotTask, snapshot: Snapshot) {
  return snapshot.nodes.filter(
    (candidate) =>
      candidate.availability === 'ready' &&
      matches(candidate, task.constraints) &&
      (task.avoid[candidate.id] ?? 0) <= snapshot.nowMs,
  );
}

export function waiting(snapshot: Snapshot, plan: Plan): SnapshotTask[] {
  const started = new Set(plan.starts.map(({ taskId }) => taskId));
  return snapshot.queued.filter(({ id }) => !started.has(id));
}

export function startsAlone(task: SnapshotTask, snapshot: Snapshot): boolean {
  const alone = { ...snapshot, queued: [task], held: { reservations: [] } };
  return schedule(alone, policy).starts.length === 1;
}

/** Whether the obstacle that the reason names is one: without it the answer is another. */
export function isTrue(code: string, task: SnapshotTask, after: Snapshot): boolean {
  const codeIn = (changed: Partial<Snapshot>) =>
    reasonOf(schedule({ ...after, ...changed }, policy), task.id)?.code ?? 'starts';
  const replaced = (other: SnapshotTask) => ({
    queued: after.queued.map((queued) => (queued.id === task.id ? other : queued)),
  });
  const isEnoughInSum = () => {
    const free = freeOn(after);
    const open = openNodes(task, after).flatMap(({ id }) => free.get(id) ?? []);
    const sum = (amount: (of: Free) => number) => open.reduce((total, of) => total + amount(of), 0);
    return (
      task.cpuMilli <= sum((of) => of.cpuMilli) &&
      task.memoryBytes <= sum((of) => of.memoryBytes) &&
      wantedGpus(task) <= sum((of) => of.gpus.length)
    );
  };
  const isNamed = task.gpus !== null && 'uuids' in task.gpus && task.gpus.uuids.length > 0;
  const isFull = () =>
    !startsAlone(task, after) && startsAlone(task, { ...after, allocations: [] });
  switch (code) {
    case 'reserved':
      return startsAlone(task, after);
    case 'priority':
      return (
        codeIn({ queued: after.queued.filter(({ priority }) => priority <= task.priority) }) !==
        code
      );
    case 'fragmented':
      return isFull() && isEnoughInSum();
    case 'resources':
      return isFull() && (isNamed || !isEnoughInSum());
    case 'constraint':
      return isFull() && startsAlone({ ...task, constraints: { node: null, labels: {} } }, after);
    case 'backoff':
      return codeIn(replaced({ ...task, avoid: {} })) !== code;
    case 'node_not_ready':
      return (
        couldEverFit(task, after.nodes) &&
        codeIn({ nodes: after.nodes.map((of) => ({ ...of, availability: 'ready' as const })) }) !==
          code
      );
    case 'impossible':
      return (
        !couldEverFit(task, after.nodes) &&
        codeIn({ nodes: [...after.nodes, everything(task)] }) !== code
      );
    case 'no_nodes':
      return after.nodes.every(({ availability }) => availability === 'lost');
    default:
      return false;
  }
}

/** A node that could hold the task, whatever it asks for. */
function everything(task: SnapshotTask) {
  const uuids = task.gpus !== null && 'uuids' in task.gpus ? task.gpus.uuids : [];
  const [template] = gpus('all', 1);
  const named = template ? uuids.map((uuid) => ({ ...template, uuid })) : [];
  return node('all', {
    name: task.constraints.node ?? 'all',
    labels: task.constraints.labels,
    cpuMilli: 1_000_000,
    memoryBytes: 1000 * gib,
    gpus: [...named, ...gpus('all', 8)],
  });
}
