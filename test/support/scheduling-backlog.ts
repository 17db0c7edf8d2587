import type { Snapshot, SnapshotAllocation, SnapshotNode, SnapshotTask } from '../../src/host/scheduling/snapshot.ts';

const gib = 1024 ** 3;
const hourMs = 3_600_000;

export interface Backlog {
  tasks: number;
  nodes: number;
  /** `few`: some dozens of requests, as people submit them; `many`: nearly every request is its own. */
  variety: 'few' | 'many';
}

/** A cluster of 8-GPU nodes, nine tenths of its GPUs taken, and a long queue; the same for the same arguments. */
export function backlog({ tasks, nodes, variety }: Backlog): Snapshot {
  const random = randomFrom(tasks + nodes);
  const all = Array.from({ length: nodes }, (_, n) => gpuNode(n));
  return {
    nowMs: 10 * hourMs,
    nodes: all,
    allocations: all.flatMap((node) => loadOf(node, random)),
    queued: Array.from({ length: tasks }, (_, order) => queuedTask(order, variety, random)),
    held: { reservations: [] },
  };
}

/** Park-Miller: whole numbers from 0 to below `limit`. */
export function randomFrom(seed: number): (limit: number) => number {
  let state = (seed % 2_147_483_646) + 1;
  return (limit) => {
    state = (state * 48_271) % 2_147_483_647;
    return state % limit;
  };
}

function gpuNode(n: number): SnapshotNode {
  const id = `n${n}`;
  return {
    id,
    name: `gpu-${n}`,
    labels: { rack: `r${n % 20}` },
    availability: 'ready',
    capacity: {
      cpuMilli: 64_000,
      memoryBytes: 512 * gib,
      gpus: Array.from({ length: 8 }, (_, i) => ({
        uuid: `GPU-${n}-${i}`,
        model: 'A100',
        memoryBytes: 40 * gib,
        numaNode: Math.floor(i / 4),
      })),
    },
  };
}

function loadOf(node: SnapshotNode, random: (limit: number) => number): SnapshotAllocation[] {
  return node.capacity.gpus
    .filter(() => random(10) > 0)
    .map(({ uuid }) => ({
      taskId: `running-${uuid}`,
      nodeId: node.id,
      cpuMilli: 1000 * (4 + random(4)),
      memoryBytes: gib * (16 + random(40)),
      gpuUuids: [uuid],
      priority: 20,
      startedAtMs: random(10) * hourMs,
      limitMs: (11 + random(24)) * hourMs,
      graceMs: 30_000,
    }));
}

const gpuCounts = [1, 1, 1, 2, 4, 8] as const;
const classes = [10, 20, 20, 30] as const;

function queuedTask(order: number, variety: Backlog['variety'], random: (limit: number) => number): SnapshotTask {
  const count = gpuCounts[random(gpuCounts.length)] ?? 1;
  const isFew = variety === 'few';
  return {
    id: `t${order}`,
    order,
    priority: classes[random(classes.length)] ?? 20,
    owner: `u${random(40)}`,
    cpuMilli: isFew ? 4000 * count : 100 * (1 + random(80)) * count,
    memoryBytes: isFew ? 32 * gib * count : 64 * 1024 ** 2 * (1 + random(800)),
    gpus: { count },
    constraints: { node: null, labels: random(20) === 0 ? { rack: `r${random(20)}` } : {} },
    limitMs: random(10) === 0 ? null : (1 + random(48)) * hourMs,
    avoid: {},
  };
}
