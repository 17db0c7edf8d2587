import { coresText, matchText, memoryText, plural, timeText } from './amounts.ts';
import { covers, fitsNow, freeCount, usableTotal } from './capacity.ts';
import { isNamed, missingLabels, missingOffers, unmet } from './constraints.ts';
import { cellOf, gpuTotal } from './nodes.ts';
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
  const missing = [...missingLabels(node, ask.constraints), ...unmet(node, ask.constraints)];
  if (missing.length > 0) {
    return { cause: 'label', detail: `lacks ${missing.join(', ')}`, miss: missing.length };
  }
  const lacks = missingOffers(node, ask.constraints);
  if (lacks.length === 0) return null;
  return { cause: 'offer', detail: `lacks ${lacks.join(', ')}`, miss: lacks.length };
}

function sizeRefusal({ table }: Scope, shape: Shape, n: number): Refusal | null {
  const { numaNode } = shape;
  const cell = table.cells[cellOf(table, n, numaNode)];
  if (numaNode !== null && cell === undefined) {
    const isSilent = table.cellStart[n] === table.cellStart[n + 1];
    const detail = isSilent ? 'tells no NUMA nodes' : `has no NUMA node ${numaNode}`;
    return { cause: 'numa', detail, miss: 1000 };
  }
  if (shape.named !== null && !shape.named.has(n)) {
    const where = numaNode === null ? '' : ` on NUMA node ${numaNode}`;
    return { cause: 'gpu', detail: `has not all the GPUs asked for by name${where}`, miss: 1000 };
  }
  const onNode = {
    cpuMilli: { free: table.cpuMilli[n] ?? 0, total: null },
    memoryBytes: { free: table.memoryBytes[n] ?? 0, total: null },
    gpuCount: {
      free: usableTotal(table, shape, n),
      total: null,
      others: othersOn(table, shape, n),
    },
  };
  return (
    shortOf(shape, onNode) ??
    shortOnCell(
      shape,
      cell && {
        cpuMilli: { free: cell.cpuMilli, total: null },
        memoryBytes: { free: cell.memoryBytes, total: null },
      },
    )
  );
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
    const texts = taken.map((gpu) => `${table.gpus[gpu]?.uuid} is taken by ${holderOf(capacity, n, gpu)}`);
    return { cause: 'gpu_busy', detail: texts.join(', '), miss: taken.length };
  }
  if (fitsNow(capacity, shape, n)) return null;
  const onNode = {
    cpuMilli: { free: capacity.cpuMilli[n] ?? 0, total: table.cpuMilli[n] ?? 0 },
    memoryBytes: { free: capacity.memoryBytes[n] ?? 0, total: table.memoryBytes[n] ?? 0 },
    gpuCount: {
      free: freeCount(capacity, shape, n),
      total: usableTotal(table, shape, n),
      others: othersOn(table, shape, n),
    },
  };
  const at = cellOf(table, n, shape.numaNode);
  const cell = table.cells[at];
  return (
    shortOf(shape, onNode) ??
    shortOnCell(
      shape,
      cell && {
        cpuMilli: { free: capacity.cellCpuMilli[at] ?? 0, total: cell.cpuMilli },
        memoryBytes: { free: capacity.cellMemoryBytes[at] ?? 0, total: cell.memoryBytes },
      },
    )
  );
}

/** GPUs of the node that the shape may not take. */
function othersOn(table: Pass['table'], shape: Shape, n: number): number {
  return gpuTotal(table, n) - usableTotal(table, shape, n);
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

interface Amounts {
  cpuMilli: Amount;
  memoryBytes: Amount;
}

function shortOf(shape: Shape, amounts: Amounts & { gpuCount: Amount & { others: number } }): Refusal | null {
  const { gpuCount: gpus } = amounts;
  const detail = () => {
    const where = shape.numaNode === null ? '' : ` on NUMA node ${shape.numaNode}`;
    const others = gpus.others === 0 ? '' : ` (${plural(gpus.others, 'other GPU')})`;
    return `gpus: needs ${shape.gpuCount}${matchText(shape.ask)}${where}, ${hasText(gpus, String)}${others}`;
  };
  return covers(gpus.free, shape.gpuCount)
    ? shortOfRest(shape, amounts)
    : { cause: 'gpu', detail: detail(), miss: missOf(gpus, shape.gpuCount) };
}

function shortOfRest(shape: Shape, amounts: Amounts): Refusal | null {
  const checks = [
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
    const detail = `${noun}: needs ${text(needed)}, ${hasText(amount, text)}`;
    return { cause, detail, miss: missOf(amount, needed) };
  }
  return null;
}

/** On the NUMA node that the shape is bound to, if it is to one. */
function shortOnCell(shape: Shape, amounts: Amounts | undefined): Refusal | null {
  const short = amounts && shortOfRest(shape, amounts);
  if (!short) return null;
  return { ...short, cause: 'numa', detail: `NUMA node ${shape.numaNode}: ${short.detail}` };
}

function hasText({ free, total }: Amount, text: (amount: number) => string): string {
  return total === null ? `has ${text(free)}` : `${text(Math.max(0, free))} of ${text(total)} free`;
}

function missOf({ free }: Amount, needed: number): number {
  return Math.ceil((1000 * (needed - free)) / needed);
}

function holderOf(capacity: Pass['capacity'], node: number, gpu: number): string {
  const holder = capacity.occupants[node]?.find((occupant) => occupant.gpus.includes(gpu));
  return holder?.taskId ?? 'another task';
}
