import { covers, fitsEmpty, fitsNow, freeCount } from './capacity.ts';
import { couldEverFit } from './constraints.ts';
import { cellOf } from './nodes.ts';
import type { FreeTotal, Pass } from './pass.ts';
import { admits } from './place.ts';
import { hasFailed } from './walk.ts';
import type { Entry } from './queue.ts';
import type { ReasonCode } from './reasons.ts';
import { readyFor, type Shape } from './shape.ts';

/**
 * Why an entry that did not start waits, judged against what the whole plan leaves. That is what the
 * next pass will find, so the answer stays the same until something happens.
 */
export function judge(pass: Pass, entry: Entry): ReasonCode {
  if (typeof entry.outcome === 'object') return 'internal';
  if (entry.outcome === 'capped') return 'array_cap';
  if (!hasFailed(pass, entry)) return 'depth';
  const { shape, priority } = entry;
  const eligible = eligibility(pass, shape);
  if (eligible !== 'eligible') return eligible;
  return (
    reservedFrom(pass, shape, priority) ??
    (isAwaitedByHigher(pass, shape, priority) ? 'priority' : null) ??
    (startsUnconstrained(pass, shape) ? 'constraint' : null) ??
    (isFragmented(pass, shape) ? 'fragmented' : 'resources')
  );
}

type Eligibility = 'eligible' | 'no_nodes' | 'impossible' | 'backoff' | 'node_not_ready';

function eligibility({ table }: Pass, shape: Shape): Eligibility {
  let fitsAvoided = false;
  for (const node of readyFor(shape, table)) {
    if (!fitsEmpty(table, shape, node)) continue;
    if (!shape.avoided.has(node)) return 'eligible';
    fitsAvoided = true;
  }
  if (fitsAvoided) return 'backoff';
  if (table.nodes.every((node) => node.availability === 'lost')) return 'no_nodes';
  return couldEverFit(shape.ask, table.nodes) ? 'node_not_ready' : 'impossible';
}

/** Where it fits now and yet did not start, a reservation is in the way. */
function reservedFrom(pass: Pass, shape: Shape, priority: number): 'reserved' | 'priority' | null {
  const inTheWay = pass.reservations.filter(
    ({ node }) => (shape.allowed?.[node] ?? 1) === 1 && !shape.avoided.has(node) && fitsNow(pass.capacity, shape, node),
  );
  if (inTheWay.length === 0) return null;
  return inTheWay.every((reservation) => reservation.priority > priority) ? 'priority' : 'reserved';
}

function isAwaitedByHigher(pass: Pass, shape: Shape, priority: number): boolean {
  return readyFor(shape, pass.table).some(
    (node) =>
      (pass.awaitedBy[node] ?? -Infinity) > priority && fitsEmpty(pass.table, shape, node) && !shape.avoided.has(node),
  );
}

function startsUnconstrained(pass: Pass, shape: Shape): boolean {
  if (shape.allowed === null) return false;
  const wish = { shape: { ...shape, allowed: null }, endMs: Infinity };
  return pass.table.ready.some((node) => admits(pass, wish, node));
}

function isFragmented(pass: Pass, shape: Shape): boolean {
  if (shape.named !== null) return false;
  const total = freeFor(pass, shape);
  return (
    covers(total.cpuMilli, shape.cpuMilli) &&
    covers(total.memoryBytes, shape.memoryBytes) &&
    shape.gpuCount <= total.gpuCount
  );
}

/** What is free in sum where the shape may go; worked out once for the shapes that may go anywhere. */
function freeFor(pass: Pass, shape: Shape): FreeTotal {
  const isAnywhere =
    shape.candidates === null && shape.avoided.size === 0 && shape.gpuFilter === null && shape.numaNode === null;
  if (isAnywhere && pass.freeTotal !== null) return pass.freeTotal;
  const total = { cpuMilli: 0, memoryBytes: 0, gpuCount: 0 };
  for (const node of readyFor(shape, pass.table)) {
    if (shape.avoided.has(node)) continue;
    const free = freeOn(pass, shape, node);
    total.cpuMilli += Math.max(0, free.cpuMilli);
    total.memoryBytes += Math.max(0, free.memoryBytes);
    total.gpuCount += freeCount(pass.capacity, shape, node);
  }
  if (isAnywhere) pass.freeTotal = total;
  return total;
}

function freeOn({ capacity, table }: Pass, { numaNode }: Shape, node: number): Omit<FreeTotal, 'gpuCount'> {
  const cpuMilli = capacity.cpuMilli[node] ?? 0;
  const memoryBytes = capacity.memoryBytes[node] ?? 0;
  if (numaNode === null) return { cpuMilli, memoryBytes };
  const cell = cellOf(table, node, numaNode);
  return {
    cpuMilli: Math.min(cpuMilli, capacity.cellCpuMilli[cell] ?? 0),
    memoryBytes: Math.min(memoryBytes, capacity.cellMemoryBytes[cell] ?? 0),
  };
}
