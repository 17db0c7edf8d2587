import { isAbort } from '../lib/abort.ts';
import type { Clock } from '../lib/clock.ts';
import type { Logger } from '../lib/logger.ts';
import type { CapacityReport, GpuLoad, Load, WorkloadUsage } from '../protocol/node-report.ts';
import type { Backend, WorkloadRef } from './backend/backend.ts';
import type { Machine } from './machine.ts';
import { createUsageReader } from './usage.ts';

export interface MonitorOptions {
  machine: Pick<Machine, 'capacity' | 'load' | 'gpuLoads' | 'gpuProcesses'>;
  backend: Pick<Backend, 'usage'>;
  /** The attempts whose processes live. */
  running: () => Iterable<WorkloadRef>;
  ownerOfProcess: (pid: number) => Promise<WorkloadRef | null>;
  clock: Clock;
  log: Logger;
}

/**
 * Looks at the machine on its own time, so that a tool that hangs keeps no report of work waiting: `capacity` and
 * `load` answer what was seen last.
 */
export interface Monitor {
  run(signal: AbortSignal): Promise<void>;
  /** Waits for the first look. */
  capacity(signal: AbortSignal): Promise<CapacityReport>;
  load(): Promise<Load>;
}

/** While something runs; else every sixth time. */
const lookEveryMs = 10_000;
const idleLooks = 6;
/** What lasts is looked at so often, and when other GPUs answer than before. */
const lookAtAllEveryMs = 300_000;

interface Seen {
  gpus: GpuLoad[];
  gpuFault: string | null;
  workloads: WorkloadUsage[];
}

export function createMonitor(options: MonitorOptions): Monitor {
  const { machine, clock, log } = options;
  const usage = createUsageReader(options);
  let seen: Seen = { gpus: [], gpuFault: null, workloads: [] };
  let latest = null as CapacityReport | null;
  let lookedMs = -Infinity;
  const lookAtAll = onceAtATime(async (signal: AbortSignal) => {
    lookedMs = clock.monotonic();
    latest = await machine.capacity(signal);
    return latest;
  });
  const gpuLoads = async (signal: AbortSignal) => {
    const told = await machine.gpuLoads(signal);
    if (!told.moved) return told;
    await lookAtAll(signal);
    return machine.gpuLoads(signal);
  };
  const look = async (isIdle: boolean, signal: AbortSignal): Promise<void> => {
    if (latest === null || clock.monotonic() - lookedMs >= lookAtAllEveryMs) await lookAtAll(signal);
    const running = [...options.running()];
    if (isIdle && running.length === 0) {
      seen = { ...seen, workloads: [] };
      return;
    }
    const { loads: gpus, fault: gpuFault } = await gpuLoads(signal);
    const workloads = await usage.read(running, signal);
    seen = { gpus, gpuFault, workloads };
  };
  return {
    async run(signal) {
      for (let looks = 0; !signal.aborted; looks += 1) {
        try {
          await look(looks % idleLooks !== 0, signal);
        } catch (error) {
          if (isAbort(error, signal)) return;
          log.warn({ err: error }, 'the machine could not be looked at; it is tried again');
        }
        await clock.sleep(lookEveryMs, signal).catch(() => undefined);
      }
    },
    capacity: async (signal) => latest ?? lookAtAll(signal),
    load: async () => ({ ...(await machine.load()), ...seen }),
  };
}

/** Who asks while it is under way waits for the same answer. */
function onceAtATime<T>(work: (signal: AbortSignal) => Promise<T>): (signal: AbortSignal) => Promise<T> {
  let underWay: Promise<T> | null = null;
  return (signal) => {
    underWay ??= work(signal).finally(() => {
      underWay = null;
    });
    return underWay;
  };
}
