import { mkdir, readdir, realpath, rmdir } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import type { RunTool } from '../../../lib/node/run-tool.ts';
import { BackendError } from '../backend.ts';
import { readEnginePid } from './engine-process.ts';
import { readMountTable } from './mount-table.ts';
import { pathOfHandle } from './open-beneath.ts';

/** Our own mounts of folders, in a folder of the Runner's: one set per workload, by its name. */
export interface BindMounts {
  /**
   * Shows these folders at paths of ours, in order, without setuid files and devices having an effect there. A set of
   * that name from before is taken away first. The handles stay the caller's.
   * @throws BackendError `start_failed`
   */
  make(name: string, folders: readonly BoundFolder[], signal: AbortSignal): Promise<string[]>;
  /** Takes a set away; nothing happens when there is none. */
  drop(name: string, signal: AbortSignal): Promise<void>;
  names(): Promise<string[]>;
}

export interface BoundFolder {
  handle: FileHandle;
  readOnly: boolean;
}

export interface BindMountOptions {
  /** `DIR/runner/mounts`. */
  folder: string;
  socketPath: string;
  run: RunTool;
}

const toolTimeoutMs = 10_000;

export function createBindMounts(options: BindMountOptions): BindMounts {
  const { folder } = options;
  const drop = async (name: string, signal: AbortSignal): Promise<void> => {
    // Never removes anything by its contents: what is still mounted there is other people's data.
    for (const one of await entries(join(folder, name))) await unmount(options, join(folder, name, one), signal);
    await removeEmpty(join(folder, name));
  };
  return {
    drop,
    names: () => entries(folder),
    async make(name, folders, signal) {
      await drop(name, signal);
      await mkdir(join(folder, name), { recursive: true, mode: 0o700 });
      const base = await realpath(join(folder, name));
      const paths: string[] = [];
      for (const [at, one] of folders.entries()) {
        const target = join(base, String(at));
        await mkdir(target, { mode: 0o700 });
        await bind(options, { ...one, target }, signal);
        paths.push(target);
      }
      await assertSeen(options, paths);
      return paths;
    },
  };
}

/** `-c`: without it the tool reads the link under `/proc` and mounts what stands at that path by then. */
async function bind(
  { run }: BindMountOptions,
  { handle, readOnly, target }: BoundFolder & { target: string },
  signal: AbortSignal,
): Promise<void> {
  const flags = `remount,bind,nosuid,nodev${readOnly ? ',ro' : ''}`;
  await must(run, ['mount', '-c', '--bind', pathOfHandle(handle), target], signal);
  await must(run, ['mount', '-c', '-o', flags, target], signal);
}

async function unmount({ run }: BindMountOptions, path: string, signal: AbortSignal): Promise<void> {
  const real = await realpath(path);
  const count = (await readMountTable('self'))?.filter(({ mountPoint }) => mountPoint === real).length ?? 0;
  for (let left = count; left > 0; left -= 1) await must(run, ['umount', '-c', '-l', real], signal);
  await removeEmpty(path);
}

async function must(run: RunTool, argv: readonly string[], signal: AbortSignal): Promise<void> {
  const result = await run(argv, { timeoutMs: toolTimeoutMs }, signal);
  if (result.outcome === 'exited' && result.code === 0) return;
  const said = result.outcome === 'exited' ? (result.stderr.trim().split('\n')[0] ?? '') : result.outcome;
  throw new BackendError('start_failed', `this node could not ${argv[0]} a folder: ${said}`);
}

/** An Engine in a mount namespace of its own would show the empty folder beneath. */
async function assertSeen({ socketPath }: BindMountOptions, paths: readonly string[]): Promise<void> {
  const pid = await readEnginePid(socketPath);
  const table = pid === null ? null : await readMountTable(pid);
  if (table === null) return;
  const seen = new Set(table.map(({ mountPoint }) => mountPoint));
  if (paths.every((path) => seen.has(path))) return;
  throw new BackendError(
    'start_failed',
    'this node cannot give folders: its Docker Engine does not see what the Runner mounts (they are in different mount namespaces)',
  );
}

async function entries(folder: string): Promise<string[]> {
  return readdir(folder).catch(ignore('ENOENT', []));
}

async function removeEmpty(folder: string): Promise<void> {
  await rmdir(folder).catch(ignore('ENOENT', undefined));
}

function ignore<T>(code: string, instead: T): (error: unknown) => T {
  return (error) => {
    if (error instanceof Error && 'code' in error && error.code === code) return instead;
    throw error;
  };
}
