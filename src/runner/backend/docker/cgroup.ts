import { readFile, readdir, rmdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { taskId } from '../../../protocol/ids.ts';
import type { BackendUsage, WorkloadRef } from '../backend.ts';

/** Where the control groups of this machine are and who names them. */
export interface CgroupLayout {
  version: 'v1' | 'v2';
  driver: 'cgroupfs' | 'systemd';
  /** Mount point by controller; the one tree of v2 is `unified`. */
  mounts: ReadonlyMap<string, string>;
}

/** What the kernel counted for a workload; `null` where it does not say. */
export interface CgroupUsage {
  peakBytes: number | null;
  cpuTimeMs: number | null;
  /** v2 alone: kills for memory anywhere beneath. The counter of v1 is local and stays 0 in a parent. */
  oomKills: number | null;
}

/** Mount points of control groups in the text of `/proc/self/mountinfo` (proc(5)). */
export function parseCgroupMounts(mountinfo: string): Map<string, string> {
  const mounts = new Map<string, string>();
  for (const line of mountinfo.split('\n')) {
    const [left = '', right = ''] = line.split(' - ');
    const path = left.split(' ')[4];
    const [type, , options = ''] = right.split(' ');
    if (path === undefined) continue;
    if (type === 'cgroup2') mounts.set('unified', path);
    if (type === 'cgroup') for (const controller of options.split(',')) mounts.set(controller, path);
  }
  return mounts;
}

export async function readLayout(engine: {
  version: 'v1' | 'v2';
  driver: 'cgroupfs' | 'systemd';
}): Promise<CgroupLayout> {
  return { ...engine, mounts: parseCgroupMounts(await readFile('/proc/self/mountinfo', 'utf8')) };
}

/**
 * The engine's `CgroupParent` of a workload. A group of ours around the container's own outlives it: at `die` that one
 * is gone, and with it the peak. systemd nests slices at each `-`, so there the attempt follows a `_`.
 */
export function cgroupParent(driver: CgroupLayout['driver'], ref: WorkloadRef): string {
  return driver === 'systemd' ? `weir-${ref.task}_${ref.attempt}.slice` : `/weir/${ref.task}-${ref.attempt}`;
}

/**
 * The workload that a process belongs to, by the text of its `/proc/PID/cgroup`; `null` when it is none of ours. The
 * leftmost name counts: what stands beneath it, a workload may have made itself.
 */
export function refOfCgroup(text: string): WorkloadRef | null {
  for (const line of text.split('\n')) {
    const [, name, attempt] =
      /^\d+:[^:]*:.*?\/(?:weir\/|weir\.slice\/weir-)([a-z0-9.]+)[-_](\d{1,9})(?:\.slice)?(?:\/|$)/.exec(line) ?? [];
    const task = taskId.parse(name ?? '');
    if (task !== null) return { task, attempt: Number(attempt) };
  }
  return null;
}

/** The workload that a process of this machine belongs to; `null` when it is none of ours, or gone. */
export async function ownerOfProcess(pid: number): Promise<WorkloadRef | null> {
  return refOfCgroup((await readText(`/proc/${pid}`, 'cgroup')) ?? '');
}

function folder(layout: CgroupLayout, ref: WorkloadRef): string {
  const parent = cgroupParent(layout.driver, ref);
  return layout.driver === 'systemd' ? join('weir.slice', parent) : parent.slice(1);
}

function pathOf(layout: CgroupLayout, ref: WorkloadRef, controller: string): string | null {
  const mount = layout.mounts.get(layout.version === 'v2' ? 'unified' : controller);
  return mount === undefined ? null : join(mount, folder(layout, ref));
}

/** Reads what the parent group counted; all `null` when it is gone or was never made. */
export async function readUsage(layout: CgroupLayout, ref: WorkloadRef): Promise<CgroupUsage> {
  const memory = pathOf(layout, ref, 'memory');
  if (layout.version === 'v1') {
    const [peak, cpuNs] = await Promise.all([
      readText(memory, 'memory.max_usage_in_bytes'),
      readText(pathOf(layout, ref, 'cpuacct'), 'cpuacct.usage'),
    ]);
    return { peakBytes: count(peak), cpuTimeMs: scaled(count(cpuNs), 1e6), oomKills: null };
  }
  const [peak, events, cpu] = await Promise.all([
    readText(memory, 'memory.peak'),
    readText(memory, 'memory.events'),
    readText(memory, 'cpu.stat'),
  ]);
  return {
    peakBytes: count(peak),
    cpuTimeMs: scaled(field(cpu, 'usage_usec'), 1e3),
    oomKills: field(events, 'oom_kill'),
  };
}

/** What the workload has used and holds; `null` when nothing was made of it or its last process is gone. */
export async function readUsageNow(layout: CgroupLayout, ref: WorkloadRef): Promise<BackendUsage | null> {
  const memory = pathOf(layout, ref, 'memory');
  const [current, cache] =
    layout.version === 'v1' ? ['memory.usage_in_bytes', 'total_inactive_file'] : ['memory.current', 'inactive_file'];
  const [held, stat, { cpuTimeMs }] = await Promise.all([
    readText(memory, current),
    readText(memory, 'memory.stat'),
    readUsage(layout, ref),
  ]);
  const heldBytes = count(held);
  if (heldBytes === null && cpuTimeMs === null) return null;
  return { cpuTimeMs, memoryBytes: heldBytes === null ? null : Math.max(0, heldBytes - (field(stat, cache) ?? 0)) };
}

/**
 * Sets the share of the processor that the workload gets when it is short. The container's own share weighs only
 * against its siblings, and it has none beneath its parent. Nothing happens where this may not be written.
 */
export async function setCpuShares(layout: CgroupLayout, ref: WorkloadRef, shares: number): Promise<void> {
  const path = pathOf(layout, ref, 'cpu');
  if (path === null) return;
  // The mapping of shares (2…262144) to weights (1…10000) is the engine's own.
  const weight = Math.floor(1 + ((shares - 2) * 9999) / 262_142);
  const [file, value] = layout.version === 'v1' ? ['cpu.shares', shares] : ['cpu.weight', weight];
  await tolerate(writeFile(join(path, file), String(value)));
}

/** Removes the parent groups and what is left beneath them. Nothing happens when they are gone or still in use. */
export async function removeCgroup(layout: CgroupLayout, ref: WorkloadRef): Promise<void> {
  const roots = new Set(layout.mounts.values());
  await Promise.all([...roots].map((mount) => removeTree(join(mount, folder(layout, ref)))));
}

async function removeTree(path: string): Promise<void> {
  const entries = (await tolerate(readdir(path, { withFileTypes: true }))) ?? [];
  for (const entry of entries) {
    if (entry.isDirectory()) await tolerate(rmdir(join(path, entry.name)));
  }
  await tolerate(rmdir(path));
}

/** Control groups come and go under us, and only root may write: both are no failure of ours. */
async function tolerate<T>(work: Promise<T>): Promise<T | null> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof Error && 'code' in error) return null;
    throw error;
  }
}

async function readText(path: string | null, file: string): Promise<string | null> {
  return path === null ? null : await tolerate(readFile(join(path, file), 'utf8'));
}

function count(text: string | null): number | null {
  const value = text === null ? Number.NaN : Number.parseInt(text, 10);
  return Number.isSafeInteger(value) ? value : null;
}

function field(text: string | null, name: string): number | null {
  const line = text?.split('\n').find((one) => one.startsWith(`${name} `));
  return count(line?.slice(name.length + 1) ?? null);
}

function scaled(value: number | null, divisor: number): number | null {
  return value === null ? null : Math.round(value / divisor);
}
