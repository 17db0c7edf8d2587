import type { Clock } from '../lib/clock.ts';
import type { WorkloadUsage } from '../protocol/node-report.ts';
import type { Backend, BackendUsage, WorkloadRef } from './backend/backend.ts';
import type { GpuProcess } from './hardware/gpu-processes.ts';

export interface UsageOptions {
  backend: Pick<Backend, 'usage'>;
  machine: { gpuProcesses(signal: AbortSignal): Promise<GpuProcess[]> };
  ownerOfProcess: (pid: number) => Promise<WorkloadRef | null>;
  clock: Pick<Clock, 'monotonic'>;
}

export interface UsageReader {
  /** What each of these uses; rates are since the call before. Those of which nothing is known are left out. */
  read(running: readonly WorkloadRef[], signal: AbortSignal): Promise<WorkloadUsage[]>;
}

interface Sample {
  atMs: number;
  cpuTimeMs: number;
}

export function createUsageReader({ backend, machine, ownerOfProcess, clock }: UsageOptions): UsageReader {
  let before = new Map<string, Sample>();
  return {
    async read(running, signal) {
      const gpuUse = running.length === 0 ? new Map<string, Map<string, number>>() : await readGpuUse();
      const samples = new Map<string, Sample>();
      const all: WorkloadUsage[] = [];
      for (const ref of running) {
        // An engine that is away answers nothing: the next look is the retry.
        const used = await backend.usage(ref, signal).catch(() => null);
        signal.throwIfAborted();
        if (used === null) continue;
        const key = keyOf(ref);
        const now = sampleOf(used, clock.monotonic());
        if (now !== null) samples.set(key, now);
        const gpu = [...(gpuUse.get(key) ?? [])].map(([uuid, memoryBytes]) => ({ uuid, memoryBytes }));
        all.push({
          task: ref.task,
          attempt: ref.attempt,
          cpuMilli: rate(before.get(key), now),
          memoryBytes: used.memoryBytes,
          gpu,
        });
      }
      before = samples;
      return all;

      async function readGpuUse(): Promise<Map<string, Map<string, number>>> {
        return byOwner(await machine.gpuProcesses(signal), ownerOfProcess);
      }
    },
  };
}

async function byOwner(processes: readonly GpuProcess[], ownerOf: UsageOptions['ownerOfProcess']) {
  const owners = new Map<string, Map<string, number>>();
  for (const { pid, uuid, memoryBytes } of processes) {
    const ref = await ownerOf(pid);
    if (ref === null) continue;
    const mine = owners.get(keyOf(ref)) ?? new Map<string, number>();
    owners.set(keyOf(ref), mine.set(uuid, (mine.get(uuid) ?? 0) + memoryBytes));
  }
  return owners;
}

function keyOf(ref: WorkloadRef): string {
  return `${ref.task} ${ref.attempt}`;
}

function sampleOf({ cpuTimeMs }: BackendUsage, atMs: number): Sample | null {
  return cpuTimeMs === null ? null : { atMs, cpuTimeMs };
}

/** Cores ×1000 between two samples; `null` without two, or when no time has passed. */
function rate(before: Sample | undefined, now: Sample | null): number | null {
  if (before === undefined || now === null || now.atMs <= before.atMs) return null;
  return Math.max(0, Math.round(((now.cpuTimeMs - before.cpuTimeMs) * 1000) / (now.atMs - before.atMs)));
}
