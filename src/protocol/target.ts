import * as v from 'valibot';

/** A place in the short form `node[:numa][::gpus]`. GPU indexes are those of `nvidia-smi` on that node. */
export interface Target {
  node: string;
  numaNode: number | null;
  gpuIndexes: readonly number[] | null;
}

const pattern = /^([A-Za-z0-9](?:[A-Za-z0-9._-]{0,61}[A-Za-z0-9])?)(?::(\d{1,3}))?(?:::(\d{1,3}(?:,\d{1,3})*))?$/;

/** Reads `gpu-3`, `gpu-3:1`, `gpu-3::0,1`, `gpu-3:1::4,5`; `null` when it is something else. */
export function parseTarget(text: string): Target | null {
  const match = pattern.exec(text);
  if (!match?.[1]) return null;
  const gpuIndexes = match[3]?.split(',').map(Number) ?? null;
  if (gpuIndexes !== null && new Set(gpuIndexes).size !== gpuIndexes.length) return null;
  return { node: match[1], numaNode: match[2] === undefined ? null : Number(match[2]), gpuIndexes };
}

export const target = v.pipe(
  v.string(),
  v.check(
    (text) => parseTarget(text) !== null,
    'must be "node[:numa][::gpus]" such as "gpu-3", "gpu-3:1" or "gpu-3::0,1"',
  ),
  v.description('Short form `node[:numa][::gpus]`; the indexes of GPUs are those of nvidia-smi on that node.'),
);
