import { unmetConditions } from '../../protocol/label-expression.ts';
import { isWanted } from './gpu-match.ts';
import { byText, numaNodeOf } from './nodes.ts';
import type { GpuRequest, NodeCapacity, SnapshotGpu, SnapshotNode, TaskConstraints } from './snapshot.ts';

/** What a task asks of one node: the part of a queued task that a submission already knows. */
export interface Ask {
  cpuMilli: number;
  memoryBytes: number;
  gpus: GpuRequest | null;
  numaNode?: number | null;
  constraints: TaskConstraints;
}

export function isNamed(node: SnapshotNode, constraints: TaskConstraints): boolean {
  return constraints.node === null || constraints.node === node.id || constraints.node === node.name;
}

export function missingLabels(node: SnapshotNode, constraints: TaskConstraints): string[] {
  return Object.keys(constraints.labels)
    .filter((key) => !Object.hasOwn(node.labels, key) || node.labels[key] !== constraints.labels[key])
    .map((key) => `${key}=${constraints.labels[key]}`)
    .sort(byText);
}

/** Conditions of an expression that the node does not meet, as text. */
export function unmet(node: SnapshotNode, { conditions }: TaskConstraints): string[] {
  return conditions === undefined ? [] : unmetConditions(conditions, node.labels);
}

export function missingOffers(node: SnapshotNode, { needs }: TaskConstraints): string[] {
  return needs?.filter((need) => !(node.offers ?? []).includes(need)).sort(byText) ?? [];
}

export function matches(node: SnapshotNode, constraints: TaskConstraints): boolean {
  return (
    isNamed(node, constraints) &&
    missingLabels(node, constraints).length === 0 &&
    unmet(node, constraints).length === 0 &&
    missingOffers(node, constraints).length === 0
  );
}

/** Whether the node, when empty, is large enough. */
export function holds(capacity: NodeCapacity, ask: Ask): boolean {
  const numaNode = ask.numaNode ?? null;
  const island = numaNode === null ? capacity : capacity.numa?.find(({ node }) => node === numaNode);
  return (
    ask.cpuMilli <= capacity.cpuMilli &&
    ask.memoryBytes <= capacity.memoryBytes &&
    island !== undefined &&
    ask.cpuMilli <= island.cpuMilli &&
    ask.memoryBytes <= island.memoryBytes &&
    holdsGpus(capacity, ask)
  );
}

/** Whether any node that is known and not lost could run it when empty, whatever its state today. */
export function couldEverFit(ask: Ask, nodes: readonly SnapshotNode[]): boolean {
  return nodes.some(
    (node) => node.availability !== 'lost' && holds(node.capacity, ask) && matches(node, ask.constraints),
  );
}

/** How many GPUs of the node match a request by number, taken or not; all where none is made. */
export function gpusFor(capacity: NodeCapacity, { gpus, numaNode }: Ask): number {
  const there = gpusOn(capacity, numaNode ?? null);
  if (gpus === null || !('count' in gpus)) return there.length;
  return there.filter((gpu) => isWanted(gpu, gpus)).length;
}

function gpusOn(capacity: NodeCapacity, numaNode: number | null): readonly SnapshotGpu[] {
  if (numaNode === null) return capacity.gpus;
  return capacity.gpus.filter((gpu) => numaNodeOf(gpu, capacity) === numaNode);
}

function holdsGpus(capacity: NodeCapacity, ask: Ask): boolean {
  if (ask.gpus === null) return true;
  if ('count' in ask.gpus) return ask.gpus.count <= gpusFor(capacity, ask);
  const present = new Set(gpusOn(capacity, ask.numaNode ?? null).map((gpu) => gpu.uuid));
  return ask.gpus.uuids.every((uuid) => present.has(uuid));
}
