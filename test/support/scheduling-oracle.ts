import { couldEverFit, matches } from '../../src/host/scheduling/constraints.ts';
import type { Counterfactual } from '../../src/host/scheduling/counterfactuals.ts';
import type { Plan } from '../../src/host/scheduling/plan.ts';
import { schedule } from '../../src/host/scheduling/schedule.ts';
import type { Snapshot, SnapshotGpu, SnapshotNuma, SnapshotTask } from '../../src/host/scheduling/snapshot.ts';
import { gib, gpus, halves, node, policy, reasonOf } from './scheduling-cluster.ts';

export interface Free {
  cpuMilli: number;
  memoryBytes: number;
  gpus: readonly SnapshotGpu[];
  /** What tasks bound to a NUMA node have left of it. */
  numa: readonly SnapshotNuma[];
}

/** What is free by plain subtraction; a GPU given twice is given back as an error. */
export function freeOn(snapshot: Snapshot): Map<string, Free> {
  const free = new Map<string, Free>();
  for (const { id, capacity } of snapshot.nodes) {
    free.set(id, { ...capacity, numa: capacity.numa?.map((cell) => ({ ...cell })) ?? [] });
  }
  for (const allocation of snapshot.allocations) {
    const left = free.get(allocation.nodeId);
    if (!left) continue;
    left.cpuMilli -= allocation.cpuMilli;
    left.memoryBytes -= allocation.memoryBytes;
    for (const uuid of allocation.gpuUuids) {
      if (!left.gpus.some((gpu) => gpu.uuid === uuid))
        throw new Error(`${uuid} is taken twice on ${allocation.nodeId}`);
      left.gpus = left.gpus.filter((gpu) => gpu.uuid !== uuid);
    }
    const cell = left.numa.find(({ node: number }) => number === allocation.numaNode);
    if (!cell) continue;
    cell.cpuMilli -= allocation.cpuMilli;
    cell.memoryBytes -= allocation.memoryBytes;
  }
  return free;
}

export function wantedGpus({ gpus: wanted }: SnapshotTask): number {
  if (wanted === null) return 0;
  return 'count' in wanted ? wanted.count : wanted.uuids.length;
}

/** Those of the GPUs that the task may take. */
export function usable({ gpus: wanted, numaNode = null }: SnapshotTask, from: readonly SnapshotGpu[]) {
  return from.filter((gpu) => {
    if (numaNode !== null && gpu.numaNode !== numaNode) return false;
    if (wanted === null) return true;
    if (!('count' in wanted)) return wanted.uuids.includes(gpu.uuid);
    const model = (wanted.model ?? '*').replaceAll('*', '.*').replaceAll('?', '.');
    const isOfModel = new RegExp(`^${model}$`, 'i').test(gpu.model);
    return isOfModel && gpu.memoryBytes >= (wanted.minMemoryBytes ?? 0);
  });
}

export function fits(task: SnapshotTask, free: Free): boolean {
  const { numaNode = null } = task;
  const cell = numaNode === null ? free : free.numa.find((of) => of.node === numaNode);
  return (
    cell !== undefined &&
    task.cpuMilli <= Math.min(free.cpuMilli, cell.cpuMilli) &&
    task.memoryBytes <= Math.min(free.memoryBytes, cell.memoryBytes) &&
    wantedGpus(task) <= usable(task, free.gpus).length
  );
}

/** What of it counts for the task. */
function countsFor(task: SnapshotTask, free: Free): Free {
  const { numaNode = null } = task;
  const cell =
    numaNode === null ? free : (free.numa.find((of) => of.node === numaNode) ?? { cpuMilli: 0, memoryBytes: 0 });
  return {
    ...free,
    cpuMilli: Math.min(free.cpuMilli, cell.cpuMilli),
    memoryBytes: Math.min(free.memoryBytes, cell.memoryBytes),
    gpus: usable(task, free.gpus),
  };
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
    const open = openNodes(task, after)
      .flatMap(({ id }) => free.get(id) ?? [])
      .map((of) => countsFor(task, of));
    const sum = (amount: (of: Free) => number) => open.reduce((total, of) => total + amount(of), 0);
    return (
      task.cpuMilli <= sum((of) => of.cpuMilli) &&
      task.memoryBytes <= sum((of) => of.memoryBytes) &&
      wantedGpus(task) <= sum((of) => of.gpus.length)
    );
  };
  const isNamed = task.gpus !== null && 'uuids' in task.gpus && task.gpus.uuids.length > 0;
  const isFull = () => !startsAlone(task, after) && startsAlone(task, { ...after, allocations: [] });
  switch (code) {
    case 'reserved':
      return startsAlone(task, after);
    case 'priority':
      return codeIn({ queued: after.queued.filter(({ priority }) => priority <= task.priority) }) !== code;
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
        codeIn({ nodes: after.nodes.map((of) => ({ ...of, availability: 'ready' as const })) }) !== code
      );
    case 'impossible':
      return !couldEverFit(task, after.nodes) && codeIn({ nodes: [...after.nodes, everything(task)] }) !== code;
    case 'array_cap':
      return codeIn(replaced({ ...task, group: { id: 'alone', room: 1 } })) !== code;
    case 'no_nodes':
      return after.nodes.every(({ availability }) => availability === 'lost');
    default:
      return false;
  }
}

/** A node that could hold the task, whatever it asks for. */
function everything(task: SnapshotTask) {
  const uuids = task.gpus !== null && 'uuids' in task.gpus ? task.gpus.uuids : [];
  const { numaNode = null, constraints } = task;
  const all = { cpuMilli: 1_000_000, memoryBytes: 1000 * gib };
  const cards = [
    ...uuids.map((uuid) => ({ uuid, model: 'A100', memoryBytes: gib })),
    ...gpus('all', 24, ['A100', 'T4', 'A100-80']),
  ];
  return node('all', {
    ...all,
    name: constraints.node ?? 'all',
    labels: constraints.conditions === undefined ? constraints.labels : { rack: 'a' },
    offers: constraints.needs ?? [],
    gpus: cards.map((card) => ({ ...card, numaNode: numaNode ?? 0 })),
    numa: [...halves(2_000_000, 2000 * gib), { ...all, node: 2 }],
  });
}

/** The task changed as a counterfactual says. */
export function changedBy(task: SnapshotTask, hit: Counterfactual): SnapshotTask {
  if (hit.change === 'limit') return { ...task, limitMs: hit.limitMs };
  const { gpus, constraints } = task;
  const { model, minMemoryBytes, ...rest } =
    gpus !== null && 'count' in gpus ? gpus : { count: 0, model: undefined, minMemoryBytes: undefined };
  const byModel = model === undefined ? {} : { model };
  const byMemory = minMemoryBytes === undefined ? {} : { minMemoryBytes };
  if (hit.change === 'gpus') return { ...task, gpus: { ...byModel, ...byMemory, count: hit.count } };
  const { conditions: _, ...needs } = { ...constraints, labels: {} };
  switch (hit.without) {
    case 'GPU model':
      return { ...task, gpus: { ...rest, ...byMemory } };
    case 'GPU memory':
      return { ...task, gpus: { ...rest, ...byModel } };
    case 'NUMA node':
      return { ...task, numaNode: null };
    case 'node':
      return { ...task, constraints: { ...constraints, node: null } };
    case 'labels':
      return { ...task, constraints: needs };
    case 'node and labels':
      return { ...task, constraints: { ...needs, node: null } };
  }
}
