import { readFile } from 'node:fs/promises';

export interface MountEntry {
  mountPoint: string;
  options: readonly string[];
}

/** The text of `/proc/PID/mountinfo` (proc(5)); later entries lie over earlier ones. */
export function parseMountTable(text: string): MountEntry[] {
  return text.split('\n').flatMap((line) => {
    const [, , , , mountPoint, options] = line.split(' ');
    if (mountPoint === undefined || options === undefined) return [];
    return [{ mountPoint: unescape(mountPoint), options: [...options.split(','), ...superOptions(line)] }];
  });
}

function superOptions(line: string): string[] {
  return (line.split(' - ')[1]?.split(' ')[2] ?? '').split(',');
}

/** The kernel writes space, tab, line feed and backslash as three octal digits. */
function unescape(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)));
}

/** Of this process, or of another one of this machine; `null` when that one may not be read. */
export async function readMountTable(pid: string): Promise<MountEntry[] | null> {
  const text = await readFile(`/proc/${pid}/mountinfo`, 'utf8').catch(() => null);
  return text === null ? null : parseMountTable(text);
}
