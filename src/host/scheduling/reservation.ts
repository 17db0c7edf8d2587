import { covers, freeGpus, type Capacity } from './capacity.ts';
import { gpuTotal, type NodeTable } from './nodes.ts';
import type { Shape } from './shape.ts';

/** A node kept for the first task of a pool that does not fit now, from the time it is reckoned to fit. */
export interface Reservation {
  readonly taskId: string;
  readonly priority: number;
  readonly pool: string;
  readonly node: number;
  /** The shadow time T. */
  readonly atMs: number;
  /** GPUs the head asked for by name. */
  readonly named: ReadonlySet<number>;
  /** What is free at T beside the head; backfill that runs past T draws on it. */
  cpuMilli: number;
  memoryBytes: number;
  gpuCount: number;
}

export type Shadow = Pick<Reservation, 'node' | 'atMs' | 'cpuMilli' | 'memoryBytes' | 'gpuCount'>;

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
export function findShadow(
  capacity: Capacity,
  shape: Shape,
  nodes: readonly number[],
): Shadow | null {
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
    shape.gpuCount <= reservation.gpuCount &&
    leavesNamedGpus(capacity, reservation, shape)
  );
}

export function drawOn(reservation: Reservation, shape: Shape): void {
  reservation.cpuMilli -= shape.cpuMilli;
  reservation.memoryBytes -= shape.memoryBytes;
  reservation.gpuCount -= shape.gpuCount;
}

function leavesNamedGpus(capacity: Capacity, reservation: Reservation, shape: Shape): boolean {
  const { named, node } = reservation;
  if (named.size === 0 || shape.gpuCount === 0) return true;
  const own = shape.named?.get(node);
  if (own) return own.every((gpu) => !named.has(gpu));
  return shape.gpuCount <= freeGpus(capacity, node).filter((gpu) => !named.has(gpu)).length;
}

/** Releases of the node one by one, those of the same time together, until the shape fits. */
function shadowOn(capacity: Capacity, shape: Shape, node: number): Shadow | null {
  const releases = (capacity.occupants[node] ?? [])
    .filter((occupant) => Number.isFinite(occupant.releaseAtMs))
    .sort((a, b) => a.releaseAtMs - b.releaseAtMs);
  const wanted = new Set(shape.named?.get(node));
  const taken = new Set([...wanted].filter((gpu) => capacity.gpuFree[gpu] !== 1));
  let cpuMilli = capacity.cpuMilli[node] ?? 0;
  let memoryBytes = capacity.memoryBytes[node] ?? 0;
  let gpuCount = capacity.gpuCount[node] ?? 0;
  for (const [index, release] of releases.entries()) {
    cpuMilli += release.cpuMilli;
    memoryBytes += release.memoryBytes;
    gpuCount = Math.min(gpuTotal(capacity.table, node), gpuCount + release.gpus.length);
    for (const gpu of release.gpus) taken.delete(gpu);
    const atMs = release.releaseAtMs;
    if (releases[index + 1]?.releaseAtMs === atMs) continue;
    const fits = covers(cpuMilli, shape.cpuMilli) && covers(memoryBytes, shape.memoryBytes);
    if (fits && shape.gpuCount <= gpuCount && taken.size === 0) {
      return {
        node,
        atMs,
        cpuMilli: cpuMilli - shape.cpuMilli,
        memoryBytes: memoryBytes - shape.memoryBytes,
        gpuCount: gpuCount - shape.gpuCount,
      };
    }
  }
  return null;
}

function isBetter(table: NodeTable, a: Shadow, b: Shadow): boolean {
  return a.atMs === b.atMs ? gpuTotal(table, a.node) < gpuTotal(table, b.node) : a.atMs < b.atMs;
}
