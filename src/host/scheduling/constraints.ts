import { byText } from './nodes.ts';
import type { GpuRequest, NodeCapacity, SnapshotNode, TaskConstraints } from './snapshot.ts';

/** What a task asks of one node: the part of a queued task that a submission already knows. */
export interface Ask {
  cpuMilli: number;
  memoryBytes: number;
  gpus: GpuRequest | null;
  constraints: TaskConstraints;
}

export function isNamed(node: SnapshotNode, constraints: TaskConstraints): boolean {
  return (
    constraints.node === null || constraints.node === node.id || constraints.node === node.name
  );
}

export function missingLabels(node: SnapshotNode, constraints: TaskConstraints): string[] {
  return Object.keys(constraints.labels)
    .filter(
      (key) => !Object.hasOwn(node.labels, key) || node.labels[key] !== constraints.labels[key],
    )
    .map((key) => `${key}=${constraints.labels[key]}`)
    .sort(byText);
}

export function matches(node: SnapshotNode, constraints: TaskConstraints): boolean {
  return isNamed(node, constraints) && missingLabels(node, constraints).length === 0;
}

/** Whether the node, when empty, is large enough. */
export function holds(capacity: NodeCapacity, ask: Ask): boolean {
  return (
    ask.cpuMilli <= capacity.cpuMilli &&
    ask.memoryBytes <= capacity.memoryBytes &&
    holdsGpus(capacity, ask.gpus)
  );
}

/** Whether any node that is known and not lost could run it when empty, whatever its state today. */
export function couldEverFit(ask: Ask, nodes: readonly SnapshotNode[]): boolean {
  return nodes.some(
    (node) =>
      node.availability !== 'lost' && holds(node.capacity, ask) && matches(node, ask.constraints),
  );
}

function holdsGpus(capacity: NodeCapacity, gpus: GpuRequest | null): boolean {
  if (gpus === null) return true;
  if ('count' in gpus) return gpus.count <= capacity.gpus.length;
  const present = new Set(capacity.gpus.map((gpu) => gpu.uuid));
  return gpus.uuids.every((uuid) => present.has(uuid));
}
