import { fitsNow, freeCount, type Capacity } from './capacity.ts';
import { gpuTotal } from './nodes.ts';
import type { Pass } from './pass.ts';
import { leavesHead, type Wish } from './reservation.ts';
import { readyFor } from './shape.ts';

/** What a search looks at; an explanation searches with another request or without a reservation. */
export type Field = Pick<Pass, 'table' | 'capacity' | 'buckets' | 'reservedOn'>;

/** The node where the wish may start now and fits best, or -1. */
export function findNode(field: Field, wish: Wish): number {
  const { shape } = wish;
  if (shape.gpuCount === 0) return roomiest(field, wish);
  if (shape.candidates !== null || shape.gpuFilter !== null) {
    return tightest(field, wish, readyFor(shape, field.table));
  }
  for (let free = shape.gpuCount; free < field.buckets.nodes.length; free += 1) {
    const node = tightest(field, wish, field.buckets.nodes[free] ?? []);
    if (node >= 0) return node;
  }
  return -1;
}

/** Whether the node may take the wish now: constraints, capacity, backoff and reservation. */
export function admits(field: Field, wish: Wish, node: number): boolean {
  const { shape } = wish;
  if (!fitsNow(field.capacity, shape, node)) return false;
  if (shape.allowed !== null && shape.allowed[node] !== 1) return false;
  if (shape.avoided.size > 0 && shape.avoided.has(node)) return false;
  const reservation = field.reservedOn[node] ?? null;
  return reservation === null || leavesHead(field.capacity, reservation, wish);
}

/** For GPU work: least GPUs that it may take, then any, then cores, then memory left; the lowest node of equals. */
function tightest(field: Field, wish: Wish, nodes: readonly number[]): number {
  let best = -1;
  let bestLeft = Infinity;
  for (const node of nodes) {
    if (!admits(field, wish, node)) continue;
    const left = freeCount(field.capacity, wish.shape, node);
    if (left > bestLeft || (left === bestLeft && !isTighter(field.capacity, node, best))) continue;
    best = node;
    bestLeft = left;
  }
  return best;
}

function isTighter(capacity: Capacity, a: number, b: number): boolean {
  const gpus = (capacity.gpuCount[a] ?? 0) - (capacity.gpuCount[b] ?? 0);
  if (gpus !== 0) return gpus < 0;
  const cpus = (capacity.cpuMilli[a] ?? 0) - (capacity.cpuMilli[b] ?? 0);
  if (cpus !== 0) return cpus < 0;
  const memory = (capacity.memoryBytes[a] ?? 0) - (capacity.memoryBytes[b] ?? 0);
  return memory === 0 ? a < b : memory < 0;
}

/** For CPU-only work: spread, on nodes without GPUs first. */
function roomiest(field: Field, wish: Wish): number {
  let best = -1;
  let bestRoom = -1;
  for (const node of readyFor(wish.shape, field.table)) {
    if (!admits(field, wish, node)) continue;
    const room = roomAfter(field, wish, node);
    if (room > bestRoom) {
      best = node;
      bestRoom = room;
    }
  }
  return best;
}

const tier = { cpuNode: 20_000, gpuNode: 10_000, coresOfGpus: 0 } as const;

/** Per mille of the scarcer resource left, above that what kind of room it takes. */
function roomAfter({ table, capacity }: Field, { shape }: Wish, node: number): number {
  const cpuLeft = (capacity.cpuMilli[node] ?? 0) - shape.cpuMilli;
  const memoryLeft = (capacity.memoryBytes[node] ?? 0) - shape.memoryBytes;
  const room = Math.min(
    perMille(cpuLeft, table.cpuMilli[node] ?? 0),
    perMille(memoryLeft, table.memoryBytes[node] ?? 0),
  );
  const gpus = gpuTotal(table, node);
  if (gpus === 0) return tier.cpuNode + room;
  const coresOfGpus = Math.floor(((table.cpuMilli[node] ?? 0) * (capacity.gpuCount[node] ?? 0)) / gpus);
  return room + (cpuLeft >= coresOfGpus ? tier.gpuNode : tier.coresOfGpus);
}

function perMille(left: number, total: number): number {
  return total > 0 ? Math.max(0, Math.floor((1000 * left) / total)) : 0;
}
