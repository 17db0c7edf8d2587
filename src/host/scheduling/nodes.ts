import type { NodeCapacity, SnapshotGpu, SnapshotNode, SnapshotNuma } from './snapshot.ts';

/**
 * The nodes in the order of their ids, numbered from 0. GPUs are numbered through all nodes, those
 * of one node in a row: node n has `gpuStart[n]` up to `gpuStart[n + 1]`. NUMA nodes likewise, as cells.
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
  /** NUMA node by GPU, -1 when it is not known. */
  readonly gpuNuma: Int32Array;
  /** Number of the kind by GPU: those of one model and memory are of one kind. */
  readonly gpuKind: Int32Array;
  /** One GPU of each kind. */
  readonly gpuKinds: readonly SnapshotGpu[];
  readonly gpusByUuid: ReadonlyMap<string, readonly number[]>;
  readonly cellStart: Int32Array;
  readonly cells: readonly SnapshotNuma[];
}

export function byText(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

export function nodeTable(unsorted: readonly SnapshotNode[]): NodeTable {
  const nodes = [...unsorted].sort((a, b) => byText(a.id, b.id));
  const gpus = nodes.flatMap((node) => sortedGpus(node));
  const gpuNode = nodes.flatMap(({ capacity }, n) => capacity.gpus.map(() => n));
  return {
    nodes,
    numberOf: new Map(nodes.map((node, n) => [node.id, n])),
    ready: nodes.flatMap((node, n) => (node.availability === 'ready' ? [n] : [])),
    cpuMilli: Float64Array.from(nodes, (node) => node.capacity.cpuMilli),
    memoryBytes: Float64Array.from(nodes, (node) => node.capacity.memoryBytes),
    gpuStart: starts(nodes, ({ capacity }) => capacity.gpus.length),
    gpus,
    gpuNode,
    gpuNuma: Int32Array.from(gpus, (gpu, index) => {
      const node = nodes[gpuNode[index] ?? 0];
      return (node && numaNodeOf(gpu, node.capacity)) ?? -1;
    }),
    ...kindsOf(gpus),
    gpusByUuid: numbersByUuid(gpus),
    cellStart: starts(nodes, ({ capacity }) => capacity.numa?.length ?? 0),
    cells: nodes.flatMap(({ capacity }) => capacity.numa ?? []),
  };
}

/** Where a machine has but one NUMA node, drivers often say of no GPU that it sits there. */
export function numaNodeOf(gpu: SnapshotGpu, { numa }: NodeCapacity): number | null {
  if (gpu.numaNode !== null) return gpu.numaNode;
  return numa?.length === 1 ? (numa[0]?.node ?? null) : null;
}

export function gpuTotal(table: NodeTable, node: number): number {
  return (table.gpuStart[node + 1] ?? 0) - (table.gpuStart[node] ?? 0);
}

/** The cell of a NUMA node of a node, -1 when it has none such. */
export function cellOf(table: NodeTable, node: number, numaNode: number | null): number {
  if (numaNode === null) return -1;
  for (let cell = table.cellStart[node] ?? 0; cell < (table.cellStart[node + 1] ?? 0); cell += 1) {
    if (table.cells[cell]?.node === numaNode) return cell;
  }
  return -1;
}

/** Where the things of each node begin when those of all stand in a row; one more for the end. */
function starts(nodes: readonly SnapshotNode[], count: (node: SnapshotNode) => number): Int32Array {
  const from = new Int32Array(nodes.length + 1);
  for (const [n, node] of nodes.entries()) from[n + 1] = (from[n] ?? 0) + count(node);
  return from;
}

function sortedGpus(node: SnapshotNode): SnapshotGpu[] {
  return [...node.capacity.gpus].sort((a, b) => byText(a.uuid, b.uuid));
}

function kindsOf(gpus: readonly SnapshotGpu[]): Pick<NodeTable, 'gpuKind' | 'gpuKinds'> {
  const gpuKinds: SnapshotGpu[] = [];
  const known = new Map<string, Map<number, number>>();
  const gpuKind = Int32Array.from(gpus, (gpu) => {
    const ofModel = known.get(gpu.model) ?? new Map<number, number>();
    known.set(gpu.model, ofModel);
    const kind = ofModel.get(gpu.memoryBytes) ?? gpuKinds.push(gpu) - 1;
    ofModel.set(gpu.memoryBytes, kind);
    return kind;
  });
  return { gpuKind, gpuKinds };
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
