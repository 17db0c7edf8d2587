import { arch } from 'node:os';
import { systemClock } from '../lib/clock.ts';
import type { Logger } from '../lib/logger.ts';
import { measureLoopLag } from '../lib/node/loop-lag.ts';
import { runTool } from '../lib/node/run-tool.ts';
import type { CapacityReport, Load } from '../protocol/node-report.ts';
import type { Backend } from './backend/backend.ts';
import type { GpuProcess } from './hardware/gpu-processes.ts';
import { createHardwareReader, type HardwareReader } from './hardware/hardware-reader.ts';

/** This machine as the Runner reports it. */
export interface Machine extends Disposable {
  capacity(signal: AbortSignal): Promise<CapacityReport>;
  /** All but what the GPUs say: that may take a tool seconds. */
  load(): Promise<Load>;
  gpuLoads: HardwareReader['readGpuLoads'];
  gpuProcesses(signal: AbortSignal): Promise<GpuProcess[]>;
  identity(): Promise<Pick<CapacityReport, 'machineId' | 'bootId'>>;
  /** The engine that is described as part of the machine. */
  useEngine(backend: Pick<Backend, 'describe' | 'offers'>): void;
}

interface MachineOptions {
  folder: string;
  version: string;
  log: Logger;
}

export function createMachine({ folder, version, log }: MachineOptions): Machine {
  let engine: Pick<Backend, 'describe' | 'offers'> | null = null;
  const lag = measureLoopLag();
  const hardware = createHardwareReader({
    root: '/',
    architecture: arch() === 'x64' ? 'x86_64' : arch(),
    dataDir: folder,
    run: runTool,
    clock: systemClock,
    log,
    engine: async (signal) => (await engine?.describe(signal).catch(() => null)) ?? null,
    offers: async (signal) => (await engine?.offers(signal).catch(() => [])) ?? [],
    loopLagMs: () => lag.takeP99Ms(),
  });
  return {
    async capacity(signal) {
      return {
        version,
        ...(await hardware.readIdentity()),
        hardware: await hardware.readHardware(signal),
        load: await hardware.readLoad(),
      };
    },
    load: () => hardware.readLoad(),
    gpuLoads: hardware.readGpuLoads,
    gpuProcesses: hardware.readGpuProcesses,
    identity: () => hardware.readIdentity(),
    useEngine(backend) {
      engine = backend;
    },
    [Symbol.dispose]() {
      lag[Symbol.dispose]();
    },
  };
}
