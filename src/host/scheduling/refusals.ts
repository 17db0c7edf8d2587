import { coresText, memoryText, timeText } from './amounts.ts';
import { covers, fitsNow } from './capacity.ts';
import { isNamed, missingLabels } from './constraints.ts';
import { gpuTotal } from './nodes.ts';
import type { Pass } from './pass.ts';
import type { NodeRefusals } from './plan.ts';
import type { NodeCause } from './reasons.ts';
import { leavesHead, type Wish } from './reservation.ts';
import type { Shape } from './shape.ts';

export interface Refusal {
  cause: NodeCause;
  detail: string;
  /** Per mille of the request that is missing: the least is the nearest miss. */
  miss: number;
}

type Scope = Pick<Pass, 'table' | 'capacity' | 'reservedOn'>;

/** What stops the wish on this node now, the lasting before the passing; `null` when it may start there. */
export function refusalOf(scope: Scope, wish: Wish, node: number): Refusal | null {
  const { shape } = wish;
  return (
    constraintRefusal(scope, shape, node) ??
    sizeRefusal(scope, shape, node) ??
    stateRefusal(scope, shape, node) ??
    roomRefusal(scope, shape, node) ??
    reservationRefusal(scope, wish, node)
  );
}

/** The refusals of all nodes by cause, each with the nearest miss. */
export function refusalsByCause(scope: Scope, wish: Wish): NodeRefusals[] {
  const groups = new Map<NodeCause, { nodeIds: string[]; detail: string; miss: number }>();
  for (const [n, node] of scope.table.nodes.entries()) {
    const refusal = refusalOf(scope, wish, n);
    if (!refusal) continue;
    const group = groups.get(refusal.cause);
    const detail = `${node.name}: ${refusal.detail}`;
    if (!group) {
      groups.set(refusal.cause, { nodeIds: [node.id], detail, miss: refusal.miss });
      continue;
    }
    group.nodeIds.push(node.id);
    if (refusal.miss < group.miss) Object.assign(group, { detail, miss: refusal.miss });
  }
  return [...groups].map(([cause, { nodeIds, detail }]) => ({ cause, nodeIds, detail }));
}

function constraintRefusal({ table }: Scope, { ask }: Shape, n: number): Refusal | null {
  const node = table.nodes[n];
  if (!node) return null;
  if (!isNamed(node, ask.constraints)) {
    return { cause: 'name', detail: `is not ${ask.constraints.node}`, miss: 1000 };
  }
  const missing = missingLabels(node, ask.constraints);
  if (missing.length === 0) return null;
  return { cause: 'label', detail: `lacks ${missing.join(', ')}`, miss: missing.length };
}

function sizeRefusal({ table }: Scope, shape: Shape, n: number): Refusal | null {
  if (shape.named !== null && !shape.named.has(n)) {
    return { cause: 'gpu', detail: 'has not all the GPUs asked for by name', miss: 1000 };
  }
  return shortOf(shape, {
    cpuMilli: { free: table.cpuMilli[n] ?? 0, total: null },
    memoryBytes: { free: table.memoryBytes[n] ?? 0, total: null },
    gpuCount: { free: gpuTotal(table, n), total: null },
  });
}

function stateRefusal({ table }: Scope, shape: Shape, n: number): Refusal | null {
  const node = table.nodes[n];
  const availability = node?.availability ?? 'lost';
  if (availability === 'draining' || availability === 'cordoned') {
    return { cause: availability, detail: `is ${availability}`, miss: 0 };
  }
  if (availability !== 'ready') {
    const detail = availability === 'unsynced' ? 'has not synced yet' : `is ${availability}`;
    return { cause: 'not_ready', detail, miss: 0 };
  }
  const untilMs = shape.avoided.get(n);
  if (untilMs === undefined) return null;
  return {
    cause: 'backoff',
    detail: `a start failed, avoided until ${timeText(untilMs)}`,
    miss: untilMs,
  };
}

function roomRefusal({ table, capacity }: Scope, shape: Shape, n: number): Refusal | null {
  const taken = shape.named?.get(n)?.filter((gpu) => capacity.gpuFree[gpu] !== 1) ?? [];
  if (taken.length > 0) {
    const texts = taken.map(
      (gpu) => `${table.gpus[gpu]?.uuid} is taken by ${holderOf(capacity, n, gpu)}`,
    );
    return { cause: 'gpu_busy', detail: texts.join(', '), miss: taken.length };
  }
  if (fitsNow(capacity, shape, n)) return null;
  return shortOf(shape, {
    cpuMilli: { free: capacity.cpuMilli[n] ?? 0, total: table.cpuMilli[n] ?? 0 },
    memoryBytes: { free: capacity.memoryBytes[n] ?? 0, total: table.memoryBytes[n] ?? 0 },
    gpuCount: { free: capacity.gpuCount[n] ?? 0, total: gpuTotal(table, n) },
  });
}

function reservationRefusal(scope: Scope, wish: Wish, n: number): Refusal | null {
  const reservation = scope.reservedOn[n] ?? null;
  if (reservation === null || leavesHead(scope.capacity, reservation, wish)) return null;
  const detail = `kept for ${reservation.taskId} from ${timeText(reservation.atMs)}`;
  return { cause: 'reserved', detail, miss: 0 };
}

interface Amount {
  free: number;
  /** `null` when the node is too small as a whole. */
  total: number | null;
}

function shortOf(
  shape: Shape,
  amounts: Record<'cpuMilli' | 'memoryBytes' | 'gpuCount', Amount>,
): Refusal | null {
  const checks = [
    { cause: 'gpu', noun: 'gpus', amount: amounts.gpuCount, needed: shape.gpuCount, text: String },
    {
      cause: 'cpu',
      noun: 'cpus',
      amount: amounts.cpuMilli,
      needed: shape.cpuMilli,
      text: coresText,
    },
    {
      cause: 'memory',
      noun: 'memory',
      amount: amounts.memoryBytes,
      needed: shape.memoryBytes,
      text: memoryText,
    },
  ] as const;
  for (const { cause, noun, amount, needed, text } of checks) {
    if (covers(amount.free, needed)) continue;
    const has =
      amount.total === null
        ? `has ${text(amount.free)}`
        : `${text(Math.max(0, amount.free))} of ${text(amount.total)} free`;
    const miss = Math.ceil((1000 * (needed - amount.free)) / needed);
    return { cause, detail: `${noun}: needs ${text(needed)}, ${has}`, miss };
  }
  return null;
}

function holderOf(capacity: Pass['capacity'], node: number, gpu: number): string {
  const holder = capacity.occupants[node]?.find((occupant) => occupant.gpus.includes(gpu));
  return holder?.taskId ?? 'another task';
}
