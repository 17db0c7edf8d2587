import { spawn } from 'node:child_process';
import { closeSync, ftruncateSync, openSync, readFileSync, writeSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { makePrivateFolder } from './private-file.ts';

/** Somebody else has the folder. */
export class FolderLockedError extends Error {
  override readonly name = 'FolderLockedError';
  readonly code = 'FOLDER_LOCKED';
  readonly folder: string;
  /** Process id in its own container or machine; `null` in the moment before it is written. */
  readonly pid: number | null;

  constructor(folder: string, holder: { pid: number; host: string } | null) {
    const who = holder ? `process ${holder.pid} on ${holder.host}` : 'another process';
    super(`${folder} is in use by ${who}: stop it, or choose another data folder`);
    this.folder = folder;
    this.pid = holder?.pid ?? null;
  }
}

/**
 * Makes this process the only one that uses `folder`, until it is disposed of or the process ends, by
 * whatever means: the kernel frees the lock. It holds between containers and network namespaces.
 * @throws FolderLockedError when another opener has it; Error when the `flock` command is missing.
 */
export async function lockFolder(folder: string): Promise<Disposable> {
  await makePrivateFolder(folder);
  const path = join(folder, 'lock');
  // A plain descriptor: a FileHandle that nobody refers to is closed by the garbage collector.
  const file = openSync(path, 'a+', 0o600);
  try {
    if (!(await flock(file))) throw new FolderLockedError(folder, holderOf(path));
    ftruncateSync(file);
    writeSync(file, `${process.pid} ${hostname()}\n`);
  } catch (error) {
    closeSync(file);
    throw error;
  }
  let held = true;
  return {
    // The file stays: to remove it would let two processes lock two files of one name.
    [Symbol.dispose]: () => {
      if (held) closeSync(file);
      held = false;
    },
  };
}

/**
 * Node has no flock(2). The lock belongs to the open file, not to the process that asked for it, so a
 * child that inherits our descriptor, locks it and ends leaves the lock with us.
 */
function flock(file: number): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const child = spawn('flock', ['-x', '-n', '3'], {
      stdio: ['ignore', 'ignore', 'pipe', file],
      env: { PATH: process.env['PATH'] ?? '/usr/bin:/bin' },
    });
    let words = '';
    child.stderr?.setEncoding('utf8').on('data', (text: string) => (words += text));
    child.once('error', (cause) => {
      reject(new Error(`cannot run flock (of util-linux or busybox): ${cause.message}`, { cause }));
    });
    child.once('close', (status) => {
      if (status === 0) resolve(true);
      else if (status === 1) resolve(false);
      else reject(new Error(`flock ended with ${String(status)}: ${words.trim()}`));
    });
  });
}

function holderOf(path: string): { pid: number; host: string } | null {
  const match = /^(\d+) (\S+)\n$/.exec(readFileSync(path, 'utf8'));
  return match ? { pid: Number(match[1]), host: match[2] ?? '' } : null;
}
