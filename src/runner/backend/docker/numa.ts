import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { refused } from './refused.ts';

/** The kernel's own lists, as the Engine takes them. */
export interface Cpuset {
  cpus: string;
  mems: string;
}

/**
 * Cores and memory of one NUMA node. `root` is `/`, or a recorded tree.
 * @throws BackendError `start_failed` when there is no such node, or it has no cores or no memory
 */
export async function cpusetOf(node: number, root = '/'): Promise<Cpuset> {
  const folder = join(root, 'sys/devices/system/node');
  const names = await readdir(folder).catch(() => []);
  const nodes = names.flatMap((name) => /^node(\d+)$/.exec(name)?.[1] ?? []).map(Number);
  if (!nodes.includes(node)) {
    const has = nodes.length === 0 ? 'none' : nodes.toSorted((a, b) => a - b).join(', ');
    throw refused(`this machine has no NUMA node ${node} (it has ${has})`);
  }
  const cpus = (await readFile(join(folder, `node${node}/cpulist`), 'utf8')).trim();
  const meminfo = await readFile(join(folder, `node${node}/meminfo`), 'utf8').catch(() => '');
  if (cpus === '') throw refused(`NUMA node ${node} of this machine has no cores`);
  if (/MemTotal:\s+0 kB/.test(meminfo)) throw refused(`NUMA node ${node} of this machine has no memory`);
  return { cpus, mems: String(node) };
}
