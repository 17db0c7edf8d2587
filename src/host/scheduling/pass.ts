import { capacityLeft, type Capacity } from './capacity.ts';
import { gpuBuckets, type GpuBuckets } from './gpu-buckets.ts';
import { nodeTable, type NodeTable } from './nodes.ts';
import type { Start } from './plan.ts';
import type { Reservation } from './reservation.ts';
import { shapeBook, type ShapeBook } from './shape.ts';
import type { Policy, Snapshot } from './snapshot.ts';

/** The scratch of one pass. Capacity only shrinks in it, so what failed once fails to its end. */
export interface Pass {
  readonly nowMs: number;
  readonly policy: Policy;
  readonly table: NodeTable;
  readonly capacity: Capacity;
  readonly buckets: GpuBuckets;
  readonly book: ShapeBook;
  readonly starts: Start[];
  readonly reservations: Reservation[];
  /** By node: the reservation that is on it. */
  readonly reservedOn: (Reservation | null)[];
  /** By node: 1 when it is in the pool of a reservation. Pools are disjoint. */
  readonly claimed: Uint8Array;
  /** By node: the highest class of the tasks that wait for it, -Infinity when none does. */
  readonly awaitedBy: Float64Array;
  /** By shape: the shortest limit that found no place, Infinity while none failed. */
  readonly failedLimitMs: Float64Array;
  tries: number;
  /** Over all ready nodes when the walk is over; `null` until a reason asks. */
  freeTotal: FreeTotal | null;
}

export interface FreeTotal {
  cpuMilli: number;
  memoryBytes: number;
  gpuCount: number;
}

export function newPass(snapshot: Snapshot, policy: Policy): Pass {
  const table = nodeTable(snapshot.nodes);
  const capacity = capacityLeft(table, snapshot, policy);
  return {
    nowMs: snapshot.nowMs,
    policy,
    table,
    capacity,
    buckets: gpuBuckets(table.ready, capacity.gpuCount),
    book: shapeBook(table, snapshot.nowMs),
    starts: [],
    reservations: [],
    reservedOn: Array.from(table.nodes, () => null),
    claimed: new Uint8Array(table.nodes.length),
    awaitedBy: new Float64Array(table.nodes.length).fill(-Infinity),
    // There are at most as many shapes as tasks.
    failedLimitMs: new Float64Array(snapshot.queued.length).fill(Infinity),
    tries: 0,
    freeTotal: null,
  };
}
