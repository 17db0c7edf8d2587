import { fitsEmpty, freeUsable, occupy } from './capacity.ts';
import { ofOneKind, pickGpus } from './gpu-pick.ts';
import { cellOf } from './nodes.ts';
import type { Pass } from './pass.ts';
import { findNode } from './place.ts';
import { messageOf, type Entry } from './queue.ts';
import { drawOn, findShadow, gpusBeside, type Reservation, type Shadow } from './reservation.ts';
import { readyFor, type Shape } from './shape.ts';
import type { Held } from './snapshot.ts';

/**
 * Goes through the queue once, starts what fits, gives the first of each pool that does not fit its
 * reservation. When the budget ends before the queue does, half of it goes to the front and half to
 * where the last pass stopped, so no tail is for ever unseen. Returns where the next one resumes.
 */
export function walk(pass: Pass, entries: readonly Entry[], resume: Held['resume']): Held['resume'] {
  const budget = pass.policy.budgetTries;
  const from = resumeIndex(entries, resume);
  const frontEnd = stretch(pass, entries, { from: 0, tries: from > 0 ? budget / 2 : budget });
  const mayJump = frontEnd < from && pass.reservations.length > 0;
  const end = stretch(pass, entries, { from: mayJump ? from : frontEnd, tries: budget });
  const next = entries[end];
  return next && { priority: next.priority, order: next.order };
}

function resumeIndex(entries: readonly Entry[], resume: Held['resume']): number {
  if (!resume) return 0;
  const { priority, order } = resume;
  const index = entries.findIndex(
    (entry) => !entry.holds && (entry.priority < priority || (entry.priority === priority && entry.order >= order)),
  );
  return Math.max(0, index);
}

/** Steps on until `tries` are spent in the whole pass; returns the index of the first entry not seen. */
function stretch(pass: Pass, entries: readonly Entry[], { from, tries }: { from: number; tries: number }): number {
  for (let index = from; index < entries.length; index += 1) {
    const entry = entries[index];
    if (!entry) break;
    if (pass.tries >= tries && !hasFailed(pass, entry)) return index;
    try {
      step(pass, entry);
    } catch (error) {
      entry.outcome = { fault: messageOf(error) };
    }
  }
  return entries.length;
}

export function hasFailed(pass: Pass, entry: Entry): boolean {
  return entry.limitMs >= (pass.failedLimitMs[entry.shape.index] ?? Infinity);
}

function step(pass: Pass, entry: Entry): void {
  if (hasFailed(pass, entry)) {
    entry.outcome = 'waits';
    return;
  }
  pass.tries += 1;
  const { shape } = entry;
  const node = findNode(pass, { shape, endMs: pass.nowMs + entry.limitMs });
  if (node >= 0) {
    start(pass, entry, node);
    return;
  }
  const isFirstOfShape = pass.failedLimitMs[shape.index] === Infinity;
  pass.failedLimitMs[shape.index] = entry.limitMs;
  entry.outcome = 'waits';
  if (isFirstOfShape) block(pass, entry);
}

function start(pass: Pass, entry: Entry, node: number): void {
  const { shape } = entry;
  const { capacity, table } = pass;
  const endMs = pass.nowMs + entry.limitMs;
  const reservation = pass.reservedOn[node] ?? null;
  const passed = reservation !== null && endMs > reservation.atMs ? reservation : null;
  const gpus = chooseGpus(pass, shape, { node, passed });
  const freeBefore = capacity.gpuCount[node] ?? 0;
  occupy(capacity, node, {
    taskId: entry.id,
    releaseAtMs: Math.max(endMs, pass.nowMs + 1),
    cpuMilli: shape.cpuMilli,
    memoryBytes: shape.memoryBytes,
    gpus,
    cell: cellOf(table, node, shape.numaNode),
  });
  if (gpus.length > 0) pass.buckets.move(node, freeBefore, capacity.gpuCount[node] ?? 0);
  if (passed) drawOn(passed, { shape, gpus, table });
  entry.outcome = 'starts';
  pass.starts.push({
    taskId: entry.id,
    nodeId: table.nodes[node]?.id ?? '',
    gpuUuids: gpus.map((gpu) => table.gpus[gpu]?.uuid ?? ''),
  });
}

/** `passed`: the reservation on the node beyond whose time the start runs. */
function chooseGpus(
  { capacity, table }: Pass,
  shape: Shape,
  { node, passed }: { node: number; passed: Reservation | null },
): readonly number[] {
  const { gpuCount, named } = shape;
  if (gpuCount === 0) return [];
  if (named !== null) return named.get(node) ?? [];
  const free = freeUsable(capacity, shape, node);
  const beside = passed === null ? free : gpusBeside(passed, free, gpuCount);
  const alike = ofOneKind(beside, gpuCount, {
    kindOf: (gpu) => table.gpuKind[gpu] ?? 0,
    memoryOf: (kind) => table.gpuKinds[kind]?.memoryBytes ?? 0,
  });
  return pickGpus(alike, gpuCount, (gpu) => table.gpuNuma[gpu] ?? -1);
}

/** Notes who waits for which nodes; the first for a set of nodes takes the reservation there. */
function block(pass: Pass, entry: Entry): void {
  const { shape } = entry;
  const pool: number[] = [];
  let isClaimed = false;
  for (const node of readyFor(shape, pass.table)) {
    // A claimed node is awaited already, by a task that goes before this one.
    if (pass.claimed[node] === 1 && isClaimed) continue;
    if (!fitsEmpty(pass.table, shape, node) || shape.avoided.has(node)) continue;
    if (pass.claimed[node] === 1) isClaimed = true;
    if (pass.awaitedBy[node] === -Infinity) pass.awaitedBy[node] = entry.priority;
    if (!isClaimed) pool.push(node);
  }
  if (isClaimed) return;
  const shadow = findShadow(pass.capacity, shape, pool);
  if (shadow) reserve(pass, entry, { shadow, pool });
}

function reserve(pass: Pass, entry: Entry, place: { shadow: Shadow; pool: readonly number[] }): void {
  const { shadow, pool } = place;
  const reservation = {
    ...shadow,
    taskId: entry.id,
    priority: entry.priority,
    pool: pass.table.nodes[pool[0] ?? 0]?.id ?? '',
  };
  pass.reservations.push(reservation);
  pass.reservedOn[shadow.node] = reservation;
  for (const node of pool) pass.claimed[node] = 1;
}
