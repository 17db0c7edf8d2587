import { statfs } from 'node:fs/promises';
import type { Clock } from '../../lib/clock.ts';
import type { Logger } from '../../lib/logger.ts';
import type { RunTool } from '../../lib/node/run-tool.ts';
import { shorten } from '../../lib/text.ts';
import type { CapacityReport, GpuReport, Hardware, Load, NumaReport } from '../../protocol/node-report.ts';
import { type CgroupLimits, readCgroupLimits } from './cgroup-limits.ts';
import { parseCpuList } from './cpu-list.ts';
import { readDisks } from './disks.ts';
import type { GpuProcess } from './gpu-processes.ts';
import { createMachineFiles, type MachineFiles, memoryField } from './machine-files.ts';
import { readGpuLoads, readGpuProcesses, readGpus, type GpuSample } from './read-gpus.ts';
import { readNetwork, readTemperatures } from './sensors.ts';
import { createSmi } from './smi.ts';
import { parseXids } from './xid.ts';

export interface HardwareOptions {
  /** `/`, or a recorded tree. */
  root: string;
  /** As `uname -m` says it. */
  architecture: string;
  /** The Runner's data folder: its disk is the one that is reported. */
  dataDir: string;
  run: RunTool;
  clock: Pick<Clock, 'monotonic'>;
  log: Logger;
  /** `null` while the engine does not answer. */
  engine: (signal: AbortSignal) => Promise<Hardware['engine']>;
  /** What its file allows beyond the common; nothing unless said. */
  offers?: (signal: AbortSignal) => Promise<string[]>;
  loopLagMs: () => number;
}

export interface HardwareReader {
  /**
   * What the machine has, within the limits of a container that the Runner may be in. When no GPU can be listed,
   * those of the last listing stand and the log says why: a hanging driver takes no GPU away. A single one that is
   * lost is left out.
   */
  readHardware(signal: AbortSignal): Promise<Hardware>;
  /** All but what the GPUs say. */
  readLoad(): Promise<Load>;
  /** Of the GPUs that were listed last; `moved`: others answer now than then, it is time to list them anew. */
  readGpuLoads(signal: AbortSignal): Promise<GpuSample & { moved: boolean }>;
  readGpuProcesses(signal: AbortSignal): Promise<GpuProcess[]>;
  /** Tell one machine from its copy, and one boot from the next; empty where the machine has none. */
  readIdentity(): Promise<Pick<CapacityReport, 'machineId' | 'bootId'>>;
}

export function createHardwareReader(options: HardwareOptions): HardwareReader {
  const files = createMachineFiles(options.root);
  const gpus = createGpuReader(files, options);
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
        gpus: await gpus.list(signal),
        engine: await options.engine(signal),
        ...(options.offers === undefined ? {} : { offers: await options.offers(signal) }),
      };
    },
    readLoad: () => readLoad(files, options),
    readGpuLoads: gpus.loads,
    readGpuProcesses: gpus.processes,
    async readIdentity() {
      return {
        machineId: (await files.text('etc/machine-id')) ?? '',
        bootId: (await files.text('proc/sys/kernel/random/boot_id')) ?? '',
      };
    },
  };
}

function createGpuReader(files: MachineFiles, { run, clock, log }: HardwareOptions) {
  const smi = createSmi({ run, clock });
  let last: { gpus: GpuReport[]; cards: string[] } = { gpus: [], cards: [] };
  return {
    async list(signal: AbortSignal): Promise<GpuReport[]> {
      const { fault, gpus, cards } = await readGpus(files, smi, signal);
      if (fault !== null) log.warn({ fault: shorten(fault, 500) }, 'the GPUs could not all be listed');
      if (fault === null || cards.length > 0) last = { gpus, cards };
      return last.gpus;
    },
    async loads(signal: AbortSignal): Promise<GpuSample & { moved: boolean }> {
      const { gpus } = last;
      const xids = last.cards.length > 0 ? await readXids(run, signal) : new Map<string, number>();
      const sample = await readGpuLoads(smi, { gpus, xids }, signal);
      const fault = sample.fault && shorten(sample.fault, 500);
      const answered = fault === null || sample.cards.length > 0;
      const moved = answered && sample.cards.toSorted().join() !== last.cards.toSorted().join();
      return { ...sample, fault, moved };
    },
    processes: (signal: AbortSignal): Promise<GpuProcess[]> =>
      last.cards.length === 0 ? Promise.resolve([]) : readGpuProcesses(smi, signal),
  };
}

const kernelLogTimeoutMs = 5000;

/** None where the kernel's log is not for us to read. */
async function readXids(run: RunTool, signal: AbortSignal): Promise<Map<string, number>> {
  const result = await run(['dmesg'], { timeoutMs: kernelLogTimeoutMs }, signal);
  return parseXids(result.outcome === 'exited' ? result.stdout : '');
}

async function readLoad(files: MachineFiles, { root, dataDir, loopLagMs }: HardwareOptions): Promise<Load> {
  const limits = await readCgroupLimits(files);
  const meminfo = (await files.text('proc/meminfo')) ?? '';
  const leftBytes = (limits.memoryBytes ?? Infinity) - (limits.memoryUsedBytes ?? 0);
  const disk = await statfs(dataDir);
  return {
    load1: Number.parseFloat((await files.text('proc/loadavg')) ?? '') || 0,
    memoryAvailableBytes: Math.max(0, Math.min(memoryField(meminfo, 'MemAvailable') ?? 0, leftBytes)),
    diskFreeBytes: disk.bavail * disk.bsize,
    loopLagMs: loopLagMs(),
    disks: await readDisks(files, root),
    temperatures: await readTemperatures(files),
    network: await readNetwork(files),
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
  const reports = nodes
    .toSorted((a, b) => a - b)
    .map(async (node) => ({
      node,
      cpus: parseCpuList((await files.text(`${folder}/node${node}/cpulist`)) ?? '').filter((cpu) =>
        usable.includes(cpu),
      ),
      memoryBytes: memoryField((await files.text(`${folder}/node${node}/meminfo`)) ?? '', 'MemTotal') ?? 0,
    }));
  return Promise.all(reports);
}
