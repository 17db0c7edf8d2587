import { covers, freeUsable, usableGpus, type Capacity, type Occupant } from './capacity.ts';
import { cellOf, gpuTotal, type NodeTable } from './nodes.ts';
import type { Shape } from './shape.ts';

/** A node kept for the first task of a pool that does not fit now, from the time it is reckoned to fit. */
export interface Reservation {
  readonly taskId: string;
  readonly priority: number;
  readonly pool: string;
  readonly node: number;
  /** The shadow time T. */
  readonly atMs: number;
  /** GPUs of the node that the head may take, `null` when any. */
  readonly usable: ReadonlySet<number> | null;
  /** The NUMA node that the head is bound to, -1 when to none. */
  readonly cell: number;
  /** What is free at T beside the head; backfill that runs past T draws on it. */
  cpuMilli: number;
  memoryBytes: number;
  /** Of those that the head may take. */
  gpuCount: number;
  cellCpuMilli: number;
  cellMemoryBytes: number;
}

export type Shadow = Omit<Reservation, 'taskId' | 'priority' | 'pool'>;

/** A shape and the time by which a task of it ends at the latest. */
export interface Wish {
  readonly shape: Shape;
  readonly endMs: number;
}

/**
 * The node among `nodes` (in order) that is reckoned to take the shape first; of equals the one with
 * the fewest GPUs in all, then the lowest. Nothing that a pass starts changes that choice, so the
 * reservation does not wander between them.
 */
export function findShadow(capacity: Capacity, shape: Shape, nodes: readonly number[]): Shadow | null {
  let best: Shadow | null = null;
  for (const node of nodes) {
    const shadow = shadowOn(capacity, shape, node);
    if (shadow && (best === null || isBetter(capacity.table, shadow, best))) best = shadow;
  }
  return best;
}

/** Whether a start on the node of the reservation leaves the head its place at its time. */
export function leavesHead(capacity: Capacity, reservation: Reservation, wish: Wish): boolean {
  if (wish.endMs <= reservation.atMs) return true;
  const { shape } = wish;
  return (
    covers(reservation.cpuMilli, shape.cpuMilli) &&
    covers(reservation.memoryBytes, shape.memoryBytes) &&
    leavesGpus(capacity, reservation, shape) &&
    (!sharesCell(capacity.table, reservation, shape) ||
      (covers(reservation.cellCpuMilli, shape.cpuMilli) && covers(reservation.cellMemoryBytes, shape.memoryBytes)))
  );
}

/** Those of the free GPUs that a start which runs past T may take: first of those that the head may not. */
export function gpusBeside(reservation: Reservation, free: readonly number[], count: number): readonly number[] {
  const { usable } = reservation;
  if (usable === null) return free;
  const outside = free.filter((gpu) => !usable.has(gpu));
  if (outside.length >= count) return outside;
  const inside = free.filter((gpu) => usable.has(gpu)).slice(0, reservation.gpuCount);
  return [...outside, ...inside].sort((a, b) => a - b);
}

export function drawOn(
  reservation: Reservation,
  start: { shape: Shape; gpus: readonly number[]; table: NodeTable },
): void {
  const { shape, gpus, table } = start;
  const { usable } = reservation;
  reservation.cpuMilli -= shape.cpuMilli;
  reservation.memoryBytes -= shape.memoryBytes;
  reservation.gpuCount -= usable === null ? gpus.length : gpus.filter((gpu) => usable.has(gpu)).length;
  if (!sharesCell(table, reservation, shape)) return;
  reservation.cellCpuMilli -= shape.cpuMilli;
  reservation.cellMemoryBytes -= shape.memoryBytes;
}

function leavesGpus(capacity: Capacity, reservation: Reservation, shape: Shape): boolean {
  const { usable, node, gpuCount } = reservation;
  if (shape.gpuCount === 0) return true;
  if (usable === null) return shape.gpuCount <= gpuCount;
  const outside = freeUsable(capacity, shape, node).filter((gpu) => !usable.has(gpu)).length;
  return shape.gpuCount - outside <= gpuCount;
}

function sharesCell(table: NodeTable, { cell, node }: Reservation, shape: Shape): boolean {
  return cell >= 0 && cellOf(table, node, shape.numaNode) === cell;
}

/** Releases of the node one by one, those of the same time together, until the shape fits. */
function shadowOn(capacity: Capacity, shape: Shape, node: number): Shadow | null {
  const releases = (capacity.occupants[node] ?? [])
    .filter((occupant) => Number.isFinite(occupant.releaseAtMs))
    .sort((a, b) => a.releaseAtMs - b.releaseAtMs);
  const left = roomNow(capacity, shape, node);
  for (const [index, release] of releases.entries()) {
    give(left, release);
    const atMs = release.releaseAtMs;
    if (releases[index + 1]?.releaseAtMs === atMs || !hasRoom(left, shape)) continue;
    const isBound = left.cell >= 0;
    return {
      node,
      atMs,
      usable: shape.named === null && shape.gpuFilter === null ? null : new Set(left.usable),
      cell: left.cell,
      cpuMilli: left.cpuMilli - shape.cpuMilli,
      memoryBytes: left.memoryBytes - shape.memoryBytes,
      gpuCount: left.usable.length - left.taken.size - shape.gpuCount,
      cellCpuMilli: isBound ? left.cellCpuMilli - shape.cpuMilli : 0,
      cellMemoryBytes: isBound ? left.cellMemoryBytes - shape.memoryBytes : 0,
    };
  }
  return null;
}

/** What a shape finds on a node at some time. */
interface Room {
  cpuMilli: number;
  memoryBytes: number;
  readonly usable: readonly number[];
  /** Those of the usable that are not free. */
  readonly taken: Set<number>;
  readonly cell: number;
  cellCpuMilli: number;
  cellMemoryBytes: number;
}

function roomNow(capacity: Capacity, shape: Shape, node: number): Room {
  const usable = usableGpus(capacity.table, shape, node);
  const cell = cellOf(capacity.table, node, shape.numaNode);
  return {
    cpuMilli: capacity.cpuMilli[node] ?? 0,
    memoryBytes: capacity.memoryBytes[node] ?? 0,
    usable,
    taken: new Set(usable.filter((gpu) => capacity.gpuFree[gpu] !== 1)),
    cell,
    cellCpuMilli: capacity.cellCpuMilli[cell] ?? 0,
    cellMemoryBytes: capacity.cellMemoryBytes[cell] ?? 0,
  };
}

function give(room: Room, release: Occupant): void {
  room.cpuMilli += release.cpuMilli;
  room.memoryBytes += release.memoryBytes;
  for (const gpu of release.gpus) room.taken.delete(gpu);
  if (room.cell < 0 || release.cell !== room.cell) return;
  room.cellCpuMilli += release.cpuMilli;
  room.cellMemoryBytes += release.memoryBytes;
}

function hasRoom(room: Room, shape: Shape): boolean {
  return (
    covers(room.cpuMilli, shape.cpuMilli) &&
    covers(room.memoryBytes, shape.memoryBytes) &&
    shape.gpuCount <= room.usable.length - room.taken.size &&
    (room.cell < 0 || (covers(room.cellCpuMilli, shape.cpuMilli) && covers(room.cellMemoryBytes, shape.memoryBytes)))
  );
}

function isBetter(table: NodeTable, a: Shadow, b: Shadow): boolean {
  return a.atMs === b.atMs ? gpuTotal(table, a.node) < gpuTotal(table, b.node) : a.atMs < b.atMs;
}
