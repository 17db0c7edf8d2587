import type { SmiField } from './smi.ts';
import { parseSmiRows, smiBytes } from './smi-rows.ts';

/** A process of this machine that computes on a GPU. */
export interface GpuProcess {
  uuid: string;
  pid: number;
  /** 0 where the driver does not tell. */
  memoryBytes: number;
}

export const processFields = [
  ['gpu_uuid'],
  ['pid'],
  ['used_memory', 'used_gpu_memory'],
] as const satisfies readonly SmiField[];

/** A process that ends while it is asked for is listed without a name or a number: such lines are left out. */
export function parseGpuProcesses(stdout: string, columns: readonly (string | null)[]): GpuProcess[] {
  const { rows } = parseSmiRows(stdout, { columns, isFirst: /^(?:GPU|MIG)-[\w/-]+$/ });
  return rows.flatMap(([uuid = '', pid = '', memory]) =>
    /^\d+$/.test(pid) ? [{ uuid, pid: Number(pid), memoryBytes: smiBytes(memory) ?? 0 }] : [],
  );
}
