import { matches, type Ask } from './constraints.ts';
import { gpuFilters, isAny, type GpuFilter } from './gpu-match.ts';
import { byText, type NodeTable } from './nodes.ts';
import type { SnapshotTask, TaskConstraints } from './snapshot.ts';

/** What tasks with the same request, constraints and avoided nodes have in common: they fit or fail together. */
export interface Shape {
  readonly index: number;
  readonly ask: Ask;
  readonly cpuMilli: number;
  readonly memoryBytes: number;
  readonly gpuCount: number;
  /** Which GPUs a request by number takes; `null` when any. */
  readonly gpuFilter: GpuFilter | null;
  readonly numaNode: number | null;
  /** Node → its GPUs of the names asked for; `null` when none is asked for by name. */
  readonly named: ReadonlyMap<number, readonly number[]> | null;
  /** 1 for each node that the constraints allow; `null` when all do. */
  readonly allowed: Uint8Array | null;
  /** The only ready nodes worth a look, in order; `null` when all are. */
  readonly candidates: readonly number[] | null;
  /** Nodes in backoff for it → until when (ms). */
  readonly avoided: ReadonlyMap<number, number>;
}

export interface ShapeBook {
  readonly shapes: readonly Shape[];
  /** Throws when the request is not made of whole numbers from 0 on. */
  shapeOf(task: SnapshotTask): Shape;
}

export function shapeBook(table: NodeTable, nowMs: number): ShapeBook {
  const shapes: Shape[] = [];
  const byKey = new Map<string, Shape>();
  const allowedByKey = new Map<string, Uint8Array>();
  const filterOf = gpuFilters(table);

  function allowedBy(constraints: TaskConstraints, key: string): Uint8Array | null {
    if (key === '') return null;
    const known = allowedByKey.get(key);
    if (known) return known;
    const allowed = Uint8Array.from(table.nodes, (node) => (matches(node, constraints) ? 1 : 0));
    allowedByKey.set(key, allowed);
    return allowed;
  }

  function shapeOf(task: SnapshotTask): Shape {
    const constraintKey = keyOfConstraints(task.constraints);
    const avoided = avoidedNow(task, table, nowMs);
    const key = `${task.cpuMilli}/${task.memoryBytes}/${keyOfGpus(task)}/${task.numaNode ?? ''}/${constraintKey}/${avoided.join()}`;
    const known = byKey.get(key);
    if (known) return known;
    const shape = buildShape(task, table, {
      index: shapes.length,
      allowed: allowedBy(task.constraints, constraintKey),
      gpuFilter: filterOf(task.gpus, task.numaNode ?? null),
      avoided: avoided.length === 0 ? nothingAvoided : new Map(avoided),
    });
    shapes.push(shape);
    byKey.set(key, shape);
    return shape;
  }

  return { shapes, shapeOf };
}

const nothingAvoided: ReadonlyMap<number, number> = new Map();

type Placement = Pick<Shape, 'index' | 'allowed' | 'avoided' | 'gpuFilter'>;

function buildShape(task: SnapshotTask, table: NodeTable, placement: Placement): Shape {
  const uuids = namedUuids(task);
  const gpuCount = uuids?.length ?? gpuCountOf(task);
  const numaNode = task.numaNode ?? null;
  const named = uuids === null ? null : namedGpus(uuids, numaNode, table);
  const { index, allowed, avoided, gpuFilter } = placement;
  const isCandidate = (n: number) => (allowed?.[n] ?? 1) === 1 && (named === null || named.has(n));
  return {
    index,
    allowed,
    avoided,
    ask: task,
    cpuMilli: amount(task.cpuMilli),
    memoryBytes: amount(task.memoryBytes),
    gpuCount: amount(gpuCount),
    gpuFilter,
    numaNode,
    named,
    candidates: named === null && allowed === null ? null : table.ready.filter(isCandidate),
  };
}

function amount(value: number): number {
  if (Number.isSafeInteger(value) && value >= 0) return value;
  throw new RangeError(`a request must be a whole number from 0 on, not ${value}`);
}

/** Nodes that have all of them, and on the NUMA node if one is asked for. */
function namedGpus(uuids: readonly string[], numaNode: number | null, table: NodeTable): Map<number, number[]> {
  const found = new Map<number, number[]>();
  for (const gpu of uuids.flatMap((uuid) => table.gpusByUuid.get(uuid) ?? [])) {
    if (numaNode !== null && table.gpuNuma[gpu] !== numaNode) continue;
    const node = table.gpuNode[gpu] ?? 0;
    found.set(node, [...(found.get(node) ?? []), gpu]);
  }
  for (const [node, gpus] of found) if (gpus.length < uuids.length) found.delete(node);
  return found;
}

function namedUuids(task: SnapshotTask): readonly string[] | null {
  if (task.gpus === null || 'count' in task.gpus || task.gpus.uuids.length === 0) return null;
  return [...new Set(task.gpus.uuids)].sort(byText);
}

function gpuCountOf(task: SnapshotTask): number {
  return task.gpus !== null && 'count' in task.gpus ? task.gpus.count : 0;
}

function keyOfGpus(task: SnapshotTask): string {
  const uuids = namedUuids(task);
  if (uuids !== null) return JSON.stringify(uuids);
  if (task.gpus === null || !('count' in task.gpus) || isAny(task.gpus)) {
    return String(gpuCountOf(task));
  }
  const { count, model, minMemoryBytes } = task.gpus;
  return JSON.stringify([count, model ?? null, minMemoryBytes ?? null]);
}

function keyOfConstraints({ node, labels, conditions, needs }: TaskConstraints): string {
  const keys = Object.keys(labels);
  const isPlain = (conditions?.length ?? 0) === 0 && (needs?.length ?? 0) === 0;
  if (node === null && keys.length === 0 && isPlain) return '';
  const pairs = keys.sort(byText).map((key) => [key, labels[key]]);
  if (isPlain) return JSON.stringify([node, pairs]);
  return JSON.stringify([node, pairs, conditions ?? [], [...(needs ?? [])].sort(byText)]);
}

function avoidedNow({ avoid }: SnapshotTask, table: NodeTable, nowMs: number): [number, number][] {
  const avoided: [number, number][] = [];
  for (const nodeId of Object.keys(avoid)) {
    const node = table.numberOf.get(nodeId);
    const untilMs = avoid[nodeId] ?? 0;
    if (node !== undefined && untilMs > nowMs) avoided.push([node, untilMs]);
  }
  return avoided.sort((a, b) => a[0] - b[0]);
}

/** The nodes among `table.ready` that a shape may look at. */
export function readyFor(shape: Shape, table: NodeTable): readonly number[] {
  return shape.candidates ?? table.ready;
}
