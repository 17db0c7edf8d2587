import type { SnapshotGpu, SnapshotNode } from './snapshot.ts';

/**
 * The nodes in the order of their ids, numbered from 0. GPUs are numbered through all nodes, those
 * of one node in a row: node n has `gpuStart[n]` up to `gpuStart[n + 1]`.
 */
export interface NodeTable {
  readonly nodes: readonly SnapshotNode[];
  readonly numberOf: ReadonlyMap<string, number>;
  /** Numbers of the nodes that may get starts. */
  readonly ready: readonly number[];
  readonly cpuMilli: Float64Array;
  readonly memoryBytes: Float64Array;
  readonly gpuStart: Int32Array;
  readonly gpus: readonly SnapshotGpu[];
  readonly gpuNode: readonly number[];
  readonly gpusByUuid: ReadonlyMap<string, readonly number[]>;
}

export function byText(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

export function nodeTable(unsorted: readonly SnapshotNode[]): NodeTable {
  const nodes = [...unsorted].sort((a, b) => byText(a.id, b.id));
  const gpus = nodes.flatMap((node) => sortedGpus(node));
  const gpuStart = new Int32Array(nodes.length + 1);
  const gpuNode: number[] = [];
  for (const [n, node] of nodes.entries()) {
    gpuStart[n + 1] = (gpuStart[n] ?? 0) + node.capacity.gpus.length;
    for (let i = 0; i < node.capacity.gpus.length; i += 1) gpuNode.push(n);
  }
  return {
    nodes,
    numberOf: new Map(nodes.map((node, n) => [node.id, n])),
    ready: nodes.flatMap((node, n) => (node.availability === 'ready' ? [n] : [])),
    cpuMilli: Float64Array.from(nodes, (node) => node.capacity.cpuMilli),
    memoryBytes: Float64Array.from(nodes, (node) => node.capacity.memoryBytes),
    gpuStart,
    gpus,
    gpuNode,
    gpusByUuid: numbersByUuid(gpus),
  };
}

export function gpuTotal(table: NodeTable, node: number): number {
  return (table.gpuStart[node + 1] ?? 0) - (table.gpuStart[node] ?? 0);
}

function sortedGpus(node: SnapshotNode): SnapshotGpu[] {
  return [...node.capacity.gpus].sort((a, b) => byText(a.uuid, b.uuid));
}

function numbersByUuid(gpus: readonly SnapshotGpu[]): Map<string, number[]> {
  const numbers = new Map<string, number[]>();
  for (const [index, { uuid }] of gpus.entries()) {
    const known = numbers.get(uuid);
    if (known) known.push(index);
    else numbers.set(uuid, [index]);
  }
  return numbers;
}
