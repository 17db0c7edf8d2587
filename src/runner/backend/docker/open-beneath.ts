import { constants } from 'node:fs';
import { type FileHandle, lstat, open } from 'node:fs/promises';

/** O_PATH of <fcntl.h> on x86-64 and arm64, which Node does not name: a handle on the place alone, nothing is opened. */
const oPath = 0o10000000;
const flags = oPath | constants.O_NOFOLLOW | constants.O_DIRECTORY;

/** Why a folder could not be reached without following a link; `message` names the component. */
export class PathFault extends Error {
  override readonly name = 'PathFault';
}

/** `/proc/PID/fd/N`: names what a handle holds, whatever has become of its path; for children of this process too. */
export function pathOfHandle(handle: Pick<FileHandle, 'fd'>): string {
  return `/proc/${process.pid}/fd/${handle.fd}`;
}

/**
 * A handle on a folder, reached from the file system's root component by component, none of which may be a link: what
 * is swapped for a link on the way is refused, and the handle stays on the folder that was there when it was looked at.
 * `path` is absolute, without `.` and `..`. The caller closes it.
 * @throws PathFault
 */
export async function openFolder(path: string): Promise<FileHandle> {
  return openBeneath(await open('/', flags), path);
}

/** As `openFolder`, from a folder that is open; that one is closed in any case. */
export async function openBeneath(from: FileHandle, path: string): Promise<FileHandle> {
  let handle = from;
  for (const name of path.split('/').filter((part) => part !== '')) {
    const here = handle;
    try {
      handle = await step(here, name, path);
    } finally {
      await here.close();
    }
  }
  return handle;
}

async function step(from: FileHandle, name: string, path: string): Promise<FileHandle> {
  if (name === '.' || name === '..') throw new PathFault(`"${path}" holds "${name}"`);
  const next = `/proc/self/fd/${from.fd}/${name}`;
  try {
    return await open(next, flags);
  } catch (error) {
    const why = await faultOf(next, error);
    throw new PathFault(`"${name}" in "${path}" ${why}`, { cause: error });
  }
}

async function faultOf(path: string, error: unknown): Promise<string> {
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
  if (code === 'ENOENT') return 'is not there';
  if (code !== 'ENOTDIR' && code !== 'ELOOP') return `cannot be opened (${code})`;
  const isLink = await lstat(path).then(
    (stats) => stats.isSymbolicLink(),
    () => false,
  );
  return isLink ? 'is a link, which is not followed' : 'is not a folder';
}
