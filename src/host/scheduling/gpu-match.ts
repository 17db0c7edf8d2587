import { matchesGlob } from './glob.ts';
import type { NodeTable } from './nodes.ts';
import type { GpuCount, GpuRequest, SnapshotGpu } from './snapshot.ts';

/** Which GPUs a request takes. */
export interface GpuFilter {
  /** 1 for each kind that matches; `null` when all do. */
  readonly kinds: Uint8Array | null;
  readonly numaNode: number | null;
  /** By node: how many there are, taken or not. */
  readonly total: Int32Array;
}

/** Of a request; `null` when any GPU will do, also where all that there are match. */
export type FilterOf = (gpus: GpuRequest | null, numaNode: number | null) => GpuFilter | null;

/** Requests that come to the same share a filter. */
export function gpuFilters(table: NodeTable): FilterOf {
  const known = new Map<string, GpuFilter>();

  return (gpus, numaNode) => {
    if (gpus === null || 'uuids' in gpus || gpus.count === 0) return null;
    const kinds = isAny(gpus) ? null : matchingKinds(table, gpus);
    if (kinds === null && numaNode === null) return null;
    const key = `${kinds?.join('') ?? ''}/${numaNode ?? ''}`;
    const filter = known.get(key) ?? newFilter(table, kinds, numaNode);
    known.set(key, filter);
    return filter;
  };
}

function newFilter(table: NodeTable, kinds: Uint8Array | null, numaNode: number | null): GpuFilter {
  const filter = { kinds, numaNode, total: new Int32Array(table.nodes.length) };
  for (const [gpu, node] of table.gpuNode.entries()) {
    if (takes(table, filter, gpu)) filter.total[node] = (filter.total[node] ?? 0) + 1;
  }
  return filter;
}

function matchingKinds(table: NodeTable, gpus: GpuCount): Uint8Array | null {
  const kinds = Uint8Array.from(table.gpuKinds, (gpu) => (isWanted(gpu, gpus) ? 1 : 0));
  return kinds.includes(0) ? kinds : null;
}

export function takes(table: NodeTable, filter: GpuFilter, gpu: number): boolean {
  if (filter.kinds !== null && filter.kinds[table.gpuKind[gpu] ?? 0] !== 1) return false;
  return filter.numaNode === null || table.gpuNuma[gpu] === filter.numaNode;
}

export function isAny({ model, minMemoryBytes }: GpuCount): boolean {
  return model === undefined && minMemoryBytes === undefined;
}

export function isWanted(gpu: Pick<SnapshotGpu, 'model' | 'memoryBytes'>, by: GpuCount): boolean {
  return gpu.memoryBytes >= (by.minMemoryBytes ?? 0) && (by.model === undefined || matchesGlob(by.model, gpu.model));
}
