import { gpuTotal, type NodeTable } from './nodes.ts';
import type { Shape } from './shape.ts';
import type { Policy, Snapshot, SnapshotAllocation } from './snapshot.ts';

/** Something that holds a part of a node and the time it is reckoned to give it back. */
export interface Occupant {
  taskId: string;
  releaseAtMs: number;
  cpuMilli: number;
  memoryBytes: number;
  gpus: readonly number[];
}

/** What is free, by node number. Below 0 where a node shrank under its work; only `occupy` writes. */
export interface Capacity {
  readonly table: NodeTable;
  readonly cpuMilli: Float64Array;
  readonly memoryBytes: Float64Array;
  readonly gpuCount: Int32Array;
  /** 1 for each free GPU, by GPU number. */
  readonly gpuFree: Uint8Array;
  readonly occupants: readonly Occupant[][];
}

export function capacityLeft(table: NodeTable, snapshot: Snapshot, policy: Policy): Capacity {
  const capacity: Capacity = {
    table,
    cpuMilli: table.cpuMilli.slice(),
    memoryBytes: table.memoryBytes.slice(),
    gpuCount: Int32Array.from(table.nodes, (_, n) => gpuTotal(table, n)),
    gpuFree: new Uint8Array(table.gpus.length).fill(1),
    occupants: table.nodes.map(() => []),
  };
  for (const allocation of snapshot.allocations) {
    const node = table.numberOf.get(allocation.nodeId);
    if (node === undefined) continue;
    occupy(capacity, node, {
      taskId: allocation.taskId,
      releaseAtMs: releaseAtMs(allocation, snapshot.nowMs, policy),
      cpuMilli: allocation.cpuMilli,
      memoryBytes: allocation.memoryBytes,
      gpus: gpusOf(allocation, node, table),
    });
  }
  return capacity;
}

export function occupy(capacity: Capacity, node: number, occupant: Occupant): void {
  capacity.cpuMilli[node] = (capacity.cpuMilli[node] ?? 0) - occupant.cpuMilli;
  capacity.memoryBytes[node] = (capacity.memoryBytes[node] ?? 0) - occupant.memoryBytes;
  for (const gpu of occupant.gpus) {
    if (capacity.gpuFree[gpu] !== 1) continue;
    capacity.gpuFree[gpu] = 0;
    capacity.gpuCount[node] = (capacity.gpuCount[node] ?? 0) - 1;
  }
  capacity.occupants[node]?.push(occupant);
}

/** Asking for nothing of a resource fits also where there is less than nothing of it. */
export function covers(free: number, needed: number): boolean {
  return needed === 0 || needed <= free;
}

export function fitsNow(capacity: Capacity, shape: Shape, node: number): boolean {
  return (
    covers(capacity.cpuMilli[node] ?? 0, shape.cpuMilli) &&
    covers(capacity.memoryBytes[node] ?? 0, shape.memoryBytes) &&
    (shape.named === null
      ? shape.gpuCount <= (capacity.gpuCount[node] ?? 0)
      : areFree(capacity, shape.named.get(node)))
  );
}

export function fitsEmpty(table: NodeTable, shape: Shape, node: number): boolean {
  return (
    shape.cpuMilli <= (table.cpuMilli[node] ?? 0) &&
    shape.memoryBytes <= (table.memoryBytes[node] ?? 0) &&
    (shape.named === null ? shape.gpuCount <= gpuTotal(table, node) : shape.named.has(node))
  );
}

export function freeGpus(capacity: Capacity, node: number): number[] {
  const { gpuStart } = capacity.table;
  const free: number[] = [];
  for (let gpu = gpuStart[node] ?? 0; gpu < (gpuStart[node + 1] ?? 0); gpu += 1) {
    if (capacity.gpuFree[gpu] === 1) free.push(gpu);
  }
  return free;
}

function areFree(capacity: Capacity, gpus: readonly number[] | undefined): boolean {
  return gpus !== undefined && gpus.every((gpu) => capacity.gpuFree[gpu] === 1);
}

function gpusOf(allocation: SnapshotAllocation, node: number, table: NodeTable): number[] {
  const here = (gpu: number) => table.gpuNode[gpu] === node;
  return allocation.gpuUuids.flatMap((uuid) => table.gpusByUuid.get(uuid)?.filter(here) ?? []);
}

/** A set limit that is over ends within the grace; a default that is over is doubled, as it stops nothing. */
function releaseAtMs(allocation: SnapshotAllocation, nowMs: number, policy: Policy): number {
  const startedAtMs = allocation.startedAtMs ?? nowMs;
  if (allocation.limitMs !== null) {
    const endMs = startedAtMs + allocation.limitMs;
    return endMs > nowMs ? endMs : nowMs + allocation.graceMs;
  }
  let spanMs = Math.max(1, policy.defaultLimitMs);
  while (startedAtMs + spanMs <= nowMs) spanMs *= 2;
  return startedAtMs + spanMs;
}
