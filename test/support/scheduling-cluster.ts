import type { Plan } from '../../src/host/scheduling/plan.ts';
import type {
  NodeCapacity,
  Policy,
  Snapshot,
  SnapshotAllocation,
  SnapshotGpu,
  SnapshotNode,
  SnapshotTask,
} from '../../src/host/scheduling/snapshot.ts';

export const gib = 1024 ** 3;
export const minuteMs = 60_000;
export const hourMs = 60 * minuteMs;

export const policy: Policy = {
  defaultLimitMs: 24 * hourMs,
  guardMs: 24 * hourMs,
  budgetTries: 1_000_000,
};

/** Memory by model. */
const cards = { T4: 16 * gib, A100: 40 * gib, 'A100-80': 80 * gib } as const;
export type Card = keyof typeof cards;

/** The models take turns. */
export function gpus(node: string, count: number, models: readonly Card[] = ['A100']): SnapshotGpu[] {
  return Array.from({ length: count }, (_, i) => ({
    uuid: `GPU-${node}-${i}`,
    model: models[i % models.length] ?? 'A100',
    memoryBytes: cards[models[i % models.length] ?? 'A100'],
    numaNode: count > 1 ? Math.floor((2 * i) / count) : 0,
  }));
}

/** 8 cores, 64 GiB, named `<id>-name`. */
export function node(
  id: string,
  changed: Partial<Omit<SnapshotNode, 'id' | 'capacity'>> & Partial<SnapshotNode['capacity']> = {},
): SnapshotNode {
  const { cpuMilli = 8000, memoryBytes = 64 * gib, gpus: own = [], numa, ...rest } = changed;
  return {
    id,
    name: `${id}-name`,
    labels: {},
    availability: 'ready',
    capacity: { cpuMilli, memoryBytes, gpus: own, ...(numa === undefined ? {} : { numa }) },
    ...rest,
  };
}

/** Two NUMA nodes, 0 and 1, of half of it each. */
export function halves(cpuMilli: number, memoryBytes: number): NonNullable<NodeCapacity['numa']> {
  return [0, 1].map((number) => ({
    node: number,
    cpuMilli: Math.floor(cpuMilli / 2),
    memoryBytes: Math.floor(memoryBytes / 2),
  }));
}

/** One core, 1 GiB, one hour, class 20; `t7` has order 7. */
export function task(id: string, changed: Partial<SnapshotTask> = {}): SnapshotTask {
  return {
    id,
    order: Number(id.slice(1)),
    priority: 20,
    owner: 'ada',
    cpuMilli: 1000,
    memoryBytes: gib,
    gpus: null,
    constraints: { node: null, labels: {} },
    limitMs: hourMs,
    avoid: {},
    ...changed,
  };
}

/** Started an hour ago with two hours to go. */
export function running(taskId: string, nodeId: string, changed: Partial<SnapshotAllocation> = {}): SnapshotAllocation {
  return {
    taskId,
    nodeId,
    cpuMilli: 1000,
    memoryBytes: gib,
    gpuUuids: [],
    priority: 20,
    startedAtMs: 9 * hourMs,
    limitMs: 3 * hourMs,
    graceMs: 30_000,
    ...changed,
  };
}

/** At ten o'clock. */
export function snapshot(changed: Partial<Snapshot>): Snapshot {
  return {
    nowMs: 10 * hourMs,
    nodes: [],
    allocations: [],
    queued: [],
    held: { reservations: [] },
    ...changed,
  };
}

export function allocationOf(queued: SnapshotTask, start: Plan['starts'][number], nowMs: number): SnapshotAllocation {
  return {
    taskId: queued.id,
    nodeId: start.nodeId,
    cpuMilli: queued.cpuMilli,
    memoryBytes: queued.memoryBytes,
    gpuUuids: start.gpuUuids,
    numaNode: queued.numaNode ?? null,
    priority: queued.priority,
    startedAtMs: nowMs,
    limitMs: queued.limitMs,
    graceMs: 30_000,
  };
}

/** The snapshot after the first `count` starts of the plan (all by default), and with what it holds. */
export function applied(before: Snapshot, plan: Plan, count = plan.starts.length): Snapshot {
  const starts = new Map(plan.starts.slice(0, count).map((start) => [start.taskId, start]));
  const allocations = before.queued.flatMap((queued) => {
    const start = starts.get(queued.id);
    return start ? [allocationOf(queued, start, before.nowMs)] : [];
  });
  const started = before.queued.filter((queued) => starts.has(queued.id));
  const countStarted = (group: string | undefined) => started.filter((other) => other.group?.id === group).length;
  return {
    ...before,
    allocations: [...before.allocations, ...allocations],
    queued: before.queued
      .filter((queued) => !starts.has(queued.id))
      .map((queued) => withLessRoom(queued, countStarted(queued.group?.id))),
    held: plan.held,
  };
}

export function withLessRoom(queued: SnapshotTask, less: number): SnapshotTask {
  const { group } = queued;
  return group ? { ...queued, group: { ...group, room: group.room - less } } : queued;
}

export function startsOf(plan: Plan): Record<string, string> {
  return Object.fromEntries(plan.starts.map(({ taskId, nodeId }) => [taskId, nodeId]));
}

export function reasonOf(plan: Plan, taskId: string): Plan['classes'][number] | undefined {
  return plan.classes[plan.reasons.get(taskId) ?? -1];
}
