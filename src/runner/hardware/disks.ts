import { statfs } from 'node:fs/promises';
import { join } from 'node:path';
import type { DiskLoad } from '../../protocol/node-report.ts';
import type { MachineFiles } from './machine-files.ts';

const mostDisks = 32;
/** Images that are read-only, always full, and nobody's concern. */
const noDisks = new Set(['squashfs', 'iso9660', 'erofs', 'ramfs', 'devtmpfs']);

/**
 * Mount points of the disks of this machine, in the text of /proc/self/mounts: one for each device, the shortest.
 * Disks of the network are left out: asking a server that is gone hangs, and a thread of the pool with it.
 */
export function parseDisks(mounts: string): string[] {
  const byDevice = new Map<string, string>();
  for (const line of mounts.split('\n')) {
    const [device = '', rawPath = '', type = ''] = line.split(' ');
    const isLocal = (device.startsWith('/dev/') && !device.startsWith('/dev/loop')) || type === 'zfs';
    if (!isLocal || noDisks.has(type)) continue;
    const path = rawPath.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
    const known = byDevice.get(device);
    if (known === undefined || path.length < known.length) byDevice.set(device, path);
  }
  return [...byDevice.values()].toSorted().slice(0, mostDisks);
}

export async function readDisks(files: MachineFiles, root: string): Promise<DiskLoad[]> {
  const paths = parseDisks((await files.text('proc/self/mounts')) ?? '');
  const all = await Promise.all(paths.map((path) => readDisk(root, path)));
  return all.flatMap((disk) => disk ?? []);
}

/** `null` for one that went away, or that is not for us to see. */
async function readDisk(root: string, path: string): Promise<DiskLoad | null> {
  const seen = await statfs(join(root, path)).catch(() => null);
  return seen === null ? null : { path, totalBytes: seen.blocks * seen.bsize, freeBytes: seen.bavail * seen.bsize };
}
