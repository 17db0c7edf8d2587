import { readFile } from 'node:fs/promises';
import { systemClock } from '../../src/lib/clock.ts';
import { openLab, type WeirLab } from '../support/weir-lab.ts';
import { isBuilt, type WeirProcess } from '../support/weir-process.ts';

interface Row {
  name: string;
  value: number;
  unit: string;
}

/** After the start, until everything that happens once has happened. */
const calmMs = 5000;
const spanMs = 20_000;

/** Memory and processor time of a Host and a Runner with nothing to do, apart and as `weir up`. */
export async function run(): Promise<{ rows: Row[] }> {
  const apart = await measure(async (lab) => {
    const host = await lab.host();
    return { Host: host.process, Runner: await lab.runner('node-a', host) };
  });
  const together = await measure(async (lab) => ({ up: (await lab.up()).process }));
  return { rows: [...apart, ...together] };
}

async function measure(start: (lab: WeirLab) => Promise<Record<string, WeirProcess>>): Promise<Row[]> {
  await using lab = await openLab(isBuilt() ? 'built' : 'source');
  const processes = Object.entries(await start(lab));
  await systemClock.sleep(calmMs);
  const before = await Promise.all(processes.map(([, { pid }]) => cpuMs(pid)));
  await systemClock.sleep(spanMs);
  const rows: Row[] = [];
  for (const [at, [name, { pid }]] of processes.entries()) {
    const usedMs = (await cpuMs(pid)) - (before[at] ?? 0);
    const { rssMiB, pssMiB } = await memory(pid);
    rows.push({ name: `${name}: RSS`, value: rssMiB, unit: 'MiB' });
    if (pssMiB !== null) rows.push({ name: `${name}: PSS`, value: pssMiB, unit: 'MiB' });
    rows.push({ name: `${name}: CPU over ${spanMs / 1000} s`, value: (usedMs / spanMs) * 100, unit: '%' });
  }
  return rows;
}

/** User and system time of a process; a clock tick of /proc is 10 ms. */
async function cpuMs(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

async function memory(pid: number): Promise<{ rssMiB: number; pssMiB: number | null }> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  const rollup = await readFile(`/proc/${pid}/smaps_rollup`, 'utf8').catch(() => '');
  const pssMiB = mebibytes(rollup, 'Pss');
  return { rssMiB: mebibytes(status, 'VmRSS') ?? 0, pssMiB };
}

function mebibytes(text: string, field: string): number | null {
  const found = new RegExp(`^${field}:\\s+(\\d+) kB$`, 'm').exec(text)?.[1];
  return found === undefined ? null : Number(found) / 1024;
}
