import { chmod, mkdir, readdir, type FileHandle } from 'node:fs/promises';
import type { RunTool } from '../../../lib/node/run-tool.ts';
import { openBeneath, openFolder, PathFault, pathOfHandle } from './open-beneath.ts';
import { refused } from './refused.ts';

/** Folders of single attempts in the node's scratch folder. */
export interface Scratch {
  /** The attempt's own, made when it is not there; the caller closes it. */
  open(name: string): Promise<FileHandle>;
  /** Removes it with all that is in it; nothing happens when it is gone. */
  remove(name: string, signal: AbortSignal): Promise<void>;
  names(): Promise<string[]>;
}

export interface ScratchOptions {
  /** The node's. */
  dir: string;
  /** Tells this Runner's apart from those of another on the machine. */
  owner: string;
  run: RunTool;
}

const removeTimeoutMs = 600_000;

export function createScratch({ dir, owner, run }: ScratchOptions): Scratch {
  const base = async (): Promise<FileHandle> => {
    const scratch = await openFolder(dir);
    await makeUnlessThere(`${pathOfHandle(scratch)}/${owner}`, 0o700).catch(async (error: unknown) => {
      await scratch.close();
      throw error;
    });
    const mine = await openBeneath(scratch, owner);
    const { uid, mode } = await mine.stat();
    if (uid === process.geteuid?.() && (mode & 0o077) === 0) return mine;
    await mine.close();
    throw refused(`"${owner}" in ${dir} is somebody else's, or open to others`);
  };
  const within = async <T>(use: (folder: FileHandle) => Promise<T>): Promise<T> => {
    const folder = await base();
    try {
      return await use(folder);
    } finally {
      await folder.close();
    }
  };
  return {
    async open(name) {
      const folder = await base();
      await makeUnlessThere(`${pathOfHandle(folder)}/${name}`, 0o700).catch(async (error: unknown) => {
        await folder.close();
        throw error;
      });
      const mine = await openBeneath(folder, name);
      // Whatever user it runs as; nobody else gets past the folder around it.
      await chmod(pathOfHandle(mine), 0o1777);
      return mine;
    },
    // The tool and not `rm` of Node: that one gives up where a workload nested folders deeper than a path can name.
    remove: (name, signal) =>
      within(async (folder) => {
        const argv = ['rm', '-rf', '--one-file-system', '--', `${pathOfHandle(folder)}/${name}`];
        const result = await run(argv, { timeoutMs: removeTimeoutMs }, signal);
        if (result.outcome === 'exited' && result.code === 0) return;
        const said = result.outcome === 'exited' ? result.stderr.trim().split('\n')[0] : result.outcome;
        throw new Error(`the scratch folder ${name} could not be removed: ${said}`);
      }).catch(unlessGone(undefined)),
    names: () => within((folder) => readdir(pathOfHandle(folder))).catch(unlessGone([])),
  };
}

/** Where the node's scratch folder is gone, or none any more, there is nothing of ours. */
function unlessGone<T>(instead: T): (error: unknown) => T {
  return (error) => {
    if (error instanceof PathFault) return instead;
    throw error;
  };
}

async function makeUnlessThere(path: string, mode: number): Promise<void> {
  await mkdir(path, { mode }).catch((error: unknown) => {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
  });
}
