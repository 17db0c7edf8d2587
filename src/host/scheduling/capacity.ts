import { takes } from './gpu-match.ts';
import { cellOf, gpuTotal, type NodeTable } from './nodes.ts';
import type { Shape } from './shape.ts';
import type { Policy, Snapshot, SnapshotAllocation } from './snapshot.ts';

/** Something that holds a part of a node and the time it is reckoned to give it back. */
export interface Occupant {
  taskId: string;
  releaseAtMs: number;
  cpuMilli: number;
  memoryBytes: number;
  gpus: readonly number[];
  /** The NUMA node that it is bound to; -1 when to none. */
  cell: number;
}

/** What is free, by node number. Below 0 where a node shrank under its work; only `occupy` writes. */
export interface Capacity {
  readonly table: NodeTable;
  readonly cpuMilli: Float64Array;
  readonly memoryBytes: Float64Array;
  readonly gpuCount: Int32Array;
  /** 1 for each free GPU, by GPU number. */
  readonly gpuFree: Uint8Array;
  /** By cell, as the bound tasks leave it: the others are only accounted on the node as a whole. */
  readonly cellCpuMilli: Float64Array;
  readonly cellMemoryBytes: Float64Array;
  readonly occupants: readonly Occupant[][];
}

export function capacityLeft(table: NodeTable, snapshot: Snapshot, policy: Policy): Capacity {
  const capacity: Capacity = {
    table,
    cpuMilli: table.cpuMilli.slice(),
    memoryBytes: table.memoryBytes.slice(),
    gpuCount: Int32Array.from(table.nodes, (_, n) => gpuTotal(table, n)),
    gpuFree: new Uint8Array(table.gpus.length).fill(1),
    cellCpuMilli: Float64Array.from(table.cells, (cell) => cell.cpuMilli),
    cellMemoryBytes: Float64Array.from(table.cells, (cell) => cell.memoryBytes),
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
      cell: cellOf(table, node, allocation.numaNode ?? null),
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
  const { cell } = occupant;
  if (cell >= 0) {
    capacity.cellCpuMilli[cell] = (capacity.cellCpuMilli[cell] ?? 0) - occupant.cpuMilli;
    capacity.cellMemoryBytes[cell] = (capacity.cellMemoryBytes[cell] ?? 0) - occupant.memoryBytes;
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
    (shape.named === null ? hasFreeGpus(capacity, shape, node) : areFree(capacity, shape.named.get(node))) &&
    (shape.numaNode === null || fitsCell(capacity, shape, node))
  );
}

export function fitsEmpty(table: NodeTable, shape: Shape, node: number): boolean {
  return (
    shape.cpuMilli <= (table.cpuMilli[node] ?? 0) &&
    shape.memoryBytes <= (table.memoryBytes[node] ?? 0) &&
    (shape.named === null ? shape.gpuCount <= usableTotal(table, shape, node) : shape.named.has(node)) &&
    (shape.numaNode === null || fitsEmptyCell(table, shape, node))
  );
}

/** GPUs of the node that the shape may take, in order. */
export function usableGpus(table: NodeTable, shape: Shape, node: number): readonly number[] {
  if (shape.named !== null) return shape.named.get(node) ?? [];
  const { gpuFilter } = shape;
  const usable: number[] = [];
  for (let gpu = table.gpuStart[node] ?? 0; gpu < (table.gpuStart[node + 1] ?? 0); gpu += 1) {
    if (gpuFilter === null || takes(table, gpuFilter, gpu)) usable.push(gpu);
  }
  return usable;
}

export function usableTotal(table: NodeTable, shape: Shape, node: number): number {
  return shape.gpuFilter === null ? gpuTotal(table, node) : (shape.gpuFilter.total[node] ?? 0);
}

export function freeUsable(capacity: Capacity, shape: Shape, node: number): number[] {
  return usableGpus(capacity.table, shape, node).filter((gpu) => capacity.gpuFree[gpu] === 1);
}

/** How many GPUs are free that the shape may take, where it asks for a number of them. */
export function freeCount(capacity: Capacity, { gpuFilter }: Shape, node: number): number {
  if (gpuFilter === null) return capacity.gpuCount[node] ?? 0;
  const { table, gpuFree } = capacity;
  let count = 0;
  for (let gpu = table.gpuStart[node] ?? 0; gpu < (table.gpuStart[node + 1] ?? 0); gpu += 1) {
    if (gpuFree[gpu] === 1 && takes(table, gpuFilter, gpu)) count += 1;
  }
  return count;
}

function hasFreeGpus(capacity: Capacity, shape: Shape, node: number): boolean {
  const { gpuCount, gpuFilter } = shape;
  if (gpuCount > (capacity.gpuCount[node] ?? 0)) return false;
  if (gpuFilter === null) return true;
  return gpuCount <= (gpuFilter.total[node] ?? 0) && gpuCount <= freeCount(capacity, shape, node);
}

function areFree(capacity: Capacity, gpus: readonly number[] | undefined): boolean {
  return gpus !== undefined && gpus.every((gpu) => capacity.gpuFree[gpu] === 1);
}

function fitsCell(capacity: Capacity, shape: Shape, node: number): boolean {
  const cell = cellOf(capacity.table, node, shape.numaNode);
  return (
    cell >= 0 &&
    covers(capacity.cellCpuMilli[cell] ?? 0, shape.cpuMilli) &&
    covers(capacity.cellMemoryBytes[cell] ?? 0, shape.memoryBytes)
  );
}

function fitsEmptyCell(table: NodeTable, shape: Shape, node: number): boolean {
  const cell = table.cells[cellOf(table, node, shape.numaNode)];
  return cell !== undefined && shape.cpuMilli <= cell.cpuMilli && shape.memoryBytes <= cell.memoryBytes;
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
