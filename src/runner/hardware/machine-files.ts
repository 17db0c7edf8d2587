import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { readFileIfThere } from '../../lib/node/private-file.ts';

/** The files by which the kernel describes a machine, below `/` or below a recorded tree. */
export interface MachineFiles {
  /** Trimmed; `null` when it is not there or cannot be read (`numa_node` of a lost device). */
  text(path: string): Promise<string | null>;
  /** A number alone in its file; `null` for `max` and everything else. */
  number(path: string): Promise<number | null>;
  names(path: string): Promise<string[]>;
}

export function createMachineFiles(root: string): MachineFiles {
  const text = async (path: string): Promise<string | null> => {
    const content = await readFileIfThere(join(root, path)).catch(() => null);
    return content?.trim() ?? null;
  };
  return {
    text,
    async number(path) {
      const content = await text(path);
      return content !== null && /^-?\d+$/.test(content) ? Number(content) : null;
    },
    names: (path) => readdir(join(root, path)).catch(() => []),
  };
}

/** A field of /proc/meminfo or a node's meminfo, in bytes. */
export function memoryField(meminfo: string, name: string): number | null {
  const kib = new RegExp(`^(?:Node \\d+ )?${name}:\\s+(\\d+) kB$`, 'm').exec(meminfo)?.[1];
  return kib === undefined ? null : Number(kib) * 1024;
}
