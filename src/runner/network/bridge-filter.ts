import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readFileIfThere } from '../../lib/node/private-file.ts';
import type { RunTool } from '../../lib/node/run-tool.ts';

const folder = 'proc/sys/net/bridge';
const switches = ['bridge-nf-call-iptables', 'bridge-nf-call-ip6tables'];

/**
 * Sees to it that packets from one port of a bridge to another go through the filters: without that, neither
 * Docker's `enable_icc=false` nor our own rule keeps two workloads apart.
 * @param root `/`, or the root of a recorded tree
 * @returns why they do not; `null` when all is well
 */
export async function ensureBridgeFilter(root: string, run: RunTool, signal: AbortSignal): Promise<string | null> {
  const main = join(root, folder, switches[0] ?? '');
  if ((await readFileIfThere(main)) === null) {
    await run(['modprobe', 'br_netfilter'], { timeoutMs: 10_000 }, signal);
    if ((await readFileIfThere(main)) === null) return 'the kernel module br_netfilter is not loaded';
  }
  for (const name of switches) {
    const why = await switchOn(join(root, folder, name), name);
    if (why !== null) return why;
  }
  return null;
}

async function switchOn(path: string, name: string): Promise<string | null> {
  const value = await readFileIfThere(path);
  // A kernel without IPv6 has no switch for it.
  if (value === null || value.trim() === '1') return null;
  try {
    await writeFile(path, '1\n');
    return null;
  } catch (error) {
    return `net.bridge.${name} is 0 and cannot be set: ${error instanceof Error ? error.message : String(error)}`;
  }
}
