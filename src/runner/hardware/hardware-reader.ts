import { statfs } from 'node:fs/promises';
import type { Logger } from '../../lib/logger.ts';
import type { RunTool } from '../../lib/node/run-tool.ts';
import { shorten } from '../../lib/text.ts';
import type { CapacityReport, GpuReport, Hardware, Load, NumaReport } from '../../protocol/node-report.ts';
import { type CgroupLimits, readCgroupLimits } from './cgroup-limits.ts';
import { parseCpuList } from './cpu-list.ts';
import { createMachineFiles, type MachineFiles, memoryField } from './machine-files.ts';
import { readGpus } from './read-gpus.ts';

export interface HardwareOptions {
  /** `/`, or a recorded tree. */
  root: string;
  /** As `uname -m` says it. */
  architecture: string;
  /** The Runner's data folder: its disk is the one that is reported. */
  dataDir: string;
  run: RunTool;
  log: Logger;
  /** `null` while the engine does not answer. */
  engine: (signal: AbortSignal) => Promise<Hardware['engine']>;
  loopLagMs: () => number;
}

export interface HardwareReader {
  /**
   * What the machine has, within the limits of a container that the Runner may be in. When no GPU can be listed,
   * those of the last listing stand and the log says why: a hanging driver takes no GPU away. A single one that is
   * lost is left out.
   */
  readHardware(signal: AbortSignal): Promise<Hardware>;
  readLoad(): Promise<Load>;
  /** Tell one machine from its copy, and one boot from the next; empty where the machine has none. */
  readIdentity(): Promise<Pick<CapacityReport, 'machineId' | 'bootId'>>;
}

export function createHardwareReader(options: HardwareOptions): HardwareReader {
  const files = createMachineFiles(options.root);
  let lastGpus: GpuReport[] = [];

  const gpus = async (signal: AbortSignal): Promise<GpuReport[]> => {
    const reading = await readGpus(files, options.run, signal);
    if (reading.fault !== null) options.log.warn({ fault: shorten(reading.fault, 500) }, 'the GPUs could not all be listed');
    if (reading.fault === null || reading.gpus.length > 0) lastGpus = reading.gpus;
    return lastGpus;
  };
  return {
    async readHardware(signal) {
      const limits = await readCgroupLimits(files);
      const cpus = await usableCpus(files, limits);
      return {
        hostname: (await files.text('proc/sys/kernel/hostname')) ?? '',
        kernel: (await files.text('proc/sys/kernel/osrelease')) ?? '',
        architecture: options.architecture,
        cpuModel: cpuModel((await files.text('proc/cpuinfo')) ?? ''),
        cpuMilli: Math.min(cpus.length * 1000, limits.cpuMilli ?? Infinity),
        memoryBytes: await memoryBytes(files, limits),
        numa: await readNuma(files, cpus),
        gpus: await gpus(signal),
        engine: await options.engine(signal),
      };
    },
    readLoad: () => readLoad(files, options),
    async readIdentity() {
      return {
        machineId: (await files.text('etc/machine-id')) ?? '',
        bootId: (await files.text('proc/sys/kernel/random/boot_id')) ?? '',
      };
    },
  };
}

async function readLoad(files: MachineFiles, { dataDir, loopLagMs }: HardwareOptions): Promise<Load> {
  const limits = await readCgroupLimits(files);
  const meminfo = (await files.text('proc/meminfo')) ?? '';
  const leftBytes = (limits.memoryBytes ?? Infinity) - (limits.memoryUsedBytes ?? 0);
  const disk = await statfs(dataDir);
  return {
    load1: Number.parseFloat((await files.text('proc/loadavg')) ?? '') || 0,
    memoryAvailableBytes: Math.max(0, Math.min(memoryField(meminfo, 'MemAvailable') ?? 0, leftBytes)),
    diskFreeBytes: disk.bavail * disk.bsize,
    loopLagMs: loopLagMs(),
  };
}

async function usableCpus(files: MachineFiles, { cpus }: CgroupLimits): Promise<number[]> {
  const online = parseCpuList((await files.text('sys/devices/system/cpu/online')) ?? '');
  return cpus === null ? online : online.filter((cpu) => cpus.includes(cpu));
}

async function memoryBytes(files: MachineFiles, limits: CgroupLimits): Promise<number> {
  const totalBytes = memoryField((await files.text('proc/meminfo')) ?? '', 'MemTotal') ?? 0;
  return Math.min(totalBytes, limits.memoryBytes ?? Infinity);
}

function cpuModel(cpuinfo: string): string | null {
  const name = /^model name\s*:\s*(.+)$/m.exec(cpuinfo)?.[1];
  return name === undefined ? null : shorten(name.trim(), 255);
}

/** Nodes with memory or CPUs for us; none where the kernel knows of no nodes. */
async function readNuma(files: MachineFiles, usable: number[]): Promise<NumaReport[]> {
  const folder = 'sys/devices/system/node';
  const nodes = (await files.names(folder)).flatMap((name) => /^node(\d+)$/.exec(name)?.[1] ?? []).map(Number);
  const reports = nodes.toSorted((a, b) => a - b).map(async (node) => ({
    node,
    cpus: parseCpuList((await files.text(`${folder}/node${node}/cpulist`)) ?? '').filter((cpu) => usable.includes(cpu)),
    memoryBytes: memoryField((await files.text(`${folder}/node${node}/meminfo`)) ?? '', 'MemTotal') ?? 0,
  }));
  return Promise.all(reports);
}
