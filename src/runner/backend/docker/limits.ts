import type { HostConfig } from 'dockerode';
import type { WorkloadSpec } from '../../../protocol/sync.ts';
import { cpuShares } from './cpu-shares.ts';
import type { Cpuset } from './numa.ts';

const mostProcesses = 4096;
const leastShmBytes = 64 * 1024 * 1024;
const unlimitedShmBytes = 1024 * 1024 * 1024;
/** The engine refuses less than a hundredth of a core. */
const leastCpuMilli = 10;

export interface LimitsInput {
  /** The most open files that the engine can give. */
  nofileHard: number;
  /** `null`: all cores and memory. */
  cpuset: Cpuset | null;
}

/** The part of `HostConfig` that says how much a workload may use. */
export function limitsOf(spec: WorkloadSpec, { nofileHard, cpuset }: LimitsInput): HostConfig {
  return {
    // Equal, so that there is no swap on top; 0 means none of both.
    ...(spec.memoryBytes > 0 ? { Memory: spec.memoryBytes, MemorySwap: spec.memoryBytes } : {}),
    ...cpuLimit(spec),
    ...(cpuset === null ? {} : { CpusetCpus: cpuset.cpus, CpusetMems: cpuset.mems }),
    PidsLimit: spec.pidsLimit ?? mostProcesses,
    ShmSize: spec.shmBytes ?? defaultShmBytes(spec),
    Ulimits: ulimits(spec, nofileHard),
    ...(spec.diskBytes === undefined ? {} : { StorageOpt: { size: String(spec.diskBytes) } }),
  };
}

/** Under `burst` there is a weight alone, which counts where it is set on our own group around the container's too. */
function cpuLimit({ cpuMilli, cpuLimit: kind = 'hard' }: WorkloadSpec): HostConfig {
  if (kind === 'hard' && cpuMilli > 0) return { NanoCpus: Math.max(cpuMilli, leastCpuMilli) * 1_000_000 };
  return { CpuShares: cpuShares(cpuMilli) };
}

function defaultShmBytes({ memoryBytes }: WorkloadSpec): number {
  return memoryBytes > 0 ? Math.max(leastShmBytes, Math.floor(memoryBytes / 2)) : unlimitedShmBytes;
}

function ulimits(spec: WorkloadSpec, engineNofile: number): NonNullable<HostConfig['Ulimits']> {
  const nofileHard = Math.min(524_288, engineNofile);
  const all = {
    nofile: { soft: Math.min(65_536, nofileHard), hard: nofileHard },
    core: { soft: 0, hard: 0 },
    ...spec.ulimits,
  };
  return Object.entries(all).map(([Name, { soft, hard }]) => ({ Name, Soft: soft, Hard: hard }));
}
