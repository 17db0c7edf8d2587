import { parseCpuList } from './cpu-list.ts';
import type { MachineFiles } from './machine-files.ts';

/** What the cgroup at the root of our view allows; `null` where it sets nothing. */
export interface CgroupLimits {
  memoryBytes: number | null;
  /** Of which this is used and cannot be given back at once (no page cache). */
  memoryUsedBytes: number | null;
  cpuMilli: number | null;
  cpus: number[] | null;
}

const root = 'sys/fs/cgroup';

/**
 * Reads the limits of the container that we are in. Only the root that we see counts: the limits of a service
 * manager for the Runner's own cgroup are none for the workloads, which are beside it.
 */
export async function readCgroupLimits(files: MachineFiles): Promise<CgroupLimits> {
  const isV2 = (await files.text(`${root}/cgroup.controllers`)) !== null;
  return isV2 ? readV2(files) : readV1(files);
}

async function readV2(files: MachineFiles): Promise<CgroupLimits> {
  const [quota, periodUs] = ((await files.text(`${root}/cpu.max`)) ?? 'max').split(' ').map(Number);
  const currentBytes = await files.number(`${root}/memory.current`);
  return {
    memoryBytes: await files.number(`${root}/memory.max`),
    memoryUsedBytes: withoutCache(currentBytes, await files.text(`${root}/memory.stat`), 'inactive_file'),
    cpuMilli: milli(quota, periodUs),
    cpus: nonEmpty(await files.text(`${root}/cpuset.cpus.effective`)),
  };
}

/** v1 writes "no limit" as the largest whole number of pages. */
const v1UnlimitedBytes = 2 ** 60;

async function readV1(files: MachineFiles): Promise<CgroupLimits> {
  const limitBytes = await files.number(`${root}/memory/memory.limit_in_bytes`);
  const usedBytes = await files.number(`${root}/memory/memory.usage_in_bytes`);
  const quota = await files.number(`${root}/cpu/cpu.cfs_quota_us`);
  const periodUs = await files.number(`${root}/cpu/cpu.cfs_period_us`);
  return {
    memoryBytes: limitBytes !== null && limitBytes < v1UnlimitedBytes ? limitBytes : null,
    memoryUsedBytes: withoutCache(usedBytes, await files.text(`${root}/memory/memory.stat`), 'total_inactive_file'),
    cpuMilli: milli(quota ?? undefined, periodUs ?? undefined),
    cpus: nonEmpty(await files.text(`${root}/cpuset/cpuset.effective_cpus`)),
  };
}

function milli(quotaUs: number | undefined, periodUs: number | undefined): number | null {
  if (quotaUs === undefined || periodUs === undefined) return null;
  const value = Math.floor((quotaUs * 1000) / periodUs);
  return Number.isSafeInteger(value) && value > 0 ? value : null;
}

function withoutCache(usedBytes: number | null, stat: string | null, field: string): number | null {
  if (usedBytes === null) return null;
  const cacheBytes = Number(new RegExp(`^${field} (\\d+)$`, 'm').exec(stat ?? '')?.[1] ?? 0);
  return Math.max(0, usedBytes - cacheBytes);
}

function nonEmpty(list: string | null): number[] | null {
  const cpus = parseCpuList(list ?? '');
  return cpus.length > 0 ? cpus : null;
}
