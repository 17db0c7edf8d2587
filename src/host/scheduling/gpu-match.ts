import { matchesGlob } from './glob.ts';
import type { NodeTable } from './nodes.ts';
import type { GpuCount, GpuRequest, SnapshotGpu } from './snapshot.ts';

/** Which GPUs a request takes. */
export interface GpuFilter {
  /** 1 for each kind that matches; `null` when all do. */
  readonly kinds: Uint8Array | null;
  readonly numaNode: number | null;
}

/** `null` when any GPU will do, also where all that there are match. */
export function gpuFilter(
  table: NodeTable,
  gpus: GpuRequest | null,
  numaNode: number | null,
): GpuFilter | null {
  if (gpus === null || 'uuids' in gpus || gpus.count === 0) return null;
  const kinds = isAny(gpus)
    ? null
    : Uint8Array.from(table.gpuKinds, (gpu) => (isWanted(gpu, gpus) ? 1 : 0));
  const isSelective = kinds !== null && kinds.includes(0);
  if (!isSelective && numaNode === null) return null;
  return { kinds: isSelective ? kinds : null, numaNode };
}

export function takes(table: NodeTable, filter: GpuFilter, gpu: number): boolean {
  if (filter.kinds !== null && filter.kinds[table.gpuKind[gpu] ?? 0] !== 1) return false;
  return filter.numaNode === null || table.gpuNuma[gpu] === filter.numaNode;
}

export function isAny({ model, minMemoryBytes }: GpuCount): boolean {
  return model === undefined && minMemoryBytes === undefined;
}

export function isWanted(gpu: Pick<SnapshotGpu, 'model' | 'memoryBytes'>, by: GpuCount): boolean {
  return (
    gpu.memoryBytes >= (by.minMemoryBytes ?? 0) &&
    (by.model === undefined || matchesGlob(by.model, gpu.model))
  );
}
