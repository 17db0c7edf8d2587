import { schedule } from '../../src/host/scheduling/schedule.ts';
import type { Policy, Snapshot, SnapshotTask } from '../../src/host/scheduling/snapshot.ts';
import { backlog } from '../support/scheduling-backlog.ts';

export interface BenchRow {
  name: string;
  value: number;
  unit: string;
  baseline?: string;
  ratio?: number;
}

const policy: Policy = {
  defaultLimitMs: 86_400_000,
  guardMs: 86_400_000,
  budgetTries: Number.MAX_SAFE_INTEGER,
};

const cases = [
  { tasks: 1_000, nodes: 100 },
  { tasks: 10_000, nodes: 100 },
  { tasks: 1_000, nodes: 1_000 },
  { tasks: 10_000, nodes: 1_000 },
  { tasks: 100_000, nodes: 1_000 },
] as const;

/** One pass over a cluster that is nine tenths full, reasons included, against a scan that remembers nothing. */
export async function run(): Promise<{ rows: BenchRow[] }> {
  const rows: BenchRow[] = [];
  for (const { tasks, nodes } of cases) {
    for (const variety of ['few', 'many'] as const) {
      const snapshot = backlog({ tasks, nodes, variety });
      const rounds = tasks >= 100_000 ? 3 : 7;
      const [scanMs, passMs] = medians([() => plainScan(snapshot), () => schedule(snapshot, policy)], rounds);
      rows.push({
        name: `pass, ${tasks} queued of ${variety} shapes, ${nodes} nodes`,
        value: Number(passMs.toFixed(1)),
        unit: 'ms',
        baseline: `plain scan without memo, starts only, ${scanMs.toFixed(1)} ms`,
        ratio: Number((passMs / scanMs).toFixed(2)),
      });
    }
  }
  return { rows };
}

/** The two take turns, so that a busy machine disturbs both. */
function medians(works: readonly [() => unknown, () => unknown], rounds: number): [number, number] {
  const times: [number[], number[]] = [[], []];
  for (let round = 0; round <= rounds; round += 1) {
    for (const side of [0, 1] as const) {
      const ms = timeOf(works[side]);
      if (round > 0) times[side].push(ms);
    }
  }
  return [median(times[0]), median(times[1])];
}

function timeOf(work: () => unknown): number {
  const before = process.hrtime.bigint();
  work();
  return Number(process.hrtime.bigint() - before) / 1e6;
}

function median(values: number[]): number {
  return values.sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}

/** The baseline: queue order, every node looked at for every task, best fit; no reasons, no backfill rule. */
function plainScan(snapshot: Snapshot): number {
  const number = new Map(snapshot.nodes.map((node, n) => [node.id, n]));
  const free = {
    cpuMilli: Float64Array.from(snapshot.nodes, ({ capacity }) => capacity.cpuMilli),
    memoryBytes: Float64Array.from(snapshot.nodes, ({ capacity }) => capacity.memoryBytes),
    gpus: Int32Array.from(snapshot.nodes, ({ capacity }) => capacity.gpus.length),
  };
  for (const allocation of snapshot.allocations) {
    take(free, number.get(allocation.nodeId) ?? 0, {
      ...allocation,
      gpus: allocation.gpuUuids.length,
    });
  }
  const queue = [...snapshot.queued].sort((a, b) => b.priority - a.priority || a.order - b.order);
  let starts = 0;
  for (const task of queue) {
    const gpus = gpuCount(task);
    const node = bestOf(free, { ...task, gpus });
    if (node < 0) continue;
    take(free, node, { ...task, gpus });
    starts += 1;
  }
  return starts;
}

interface Free {
  cpuMilli: Float64Array;
  memoryBytes: Float64Array;
  gpus: Int32Array;
}

interface Need {
  cpuMilli: number;
  memoryBytes: number;
  gpus: number;
}

function bestOf(free: Free, need: Need): number {
  let best = -1;
  for (let n = 0; n < free.gpus.length; n += 1) {
    if (need.gpus > (free.gpus[n] ?? 0)) continue;
    if (need.cpuMilli > (free.cpuMilli[n] ?? 0)) continue;
    if (need.memoryBytes > (free.memoryBytes[n] ?? 0)) continue;
    if (best < 0 || (free.gpus[n] ?? 0) < (free.gpus[best] ?? 0)) best = n;
  }
  return best;
}

function take(free: Free, node: number, need: Need): void {
  free.cpuMilli[node] = (free.cpuMilli[node] ?? 0) - need.cpuMilli;
  free.memoryBytes[node] = (free.memoryBytes[node] ?? 0) - need.memoryBytes;
  free.gpus[node] = (free.gpus[node] ?? 0) - need.gpus;
}

function gpuCount(task: SnapshotTask): number {
  return task.gpus !== null && 'count' in task.gpus ? task.gpus.count : 0;
}
