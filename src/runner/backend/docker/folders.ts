import type { FileHandle } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { runTool } from '../../../lib/node/run-tool.ts';
import { BackendError, type StartOrder, type WorkloadRef } from '../backend.ts';
import { createBindMounts } from './bind-mounts.ts';
import { type FolderPlan, planFolders, rootFault, scratchTarget, sharedTarget } from './folder-plan.ts';
import { openBeneath, openFolder, PathFault } from './open-beneath.ts';
import type { DockerBackendOptions } from './options.ts';
import { refused } from './refused.ts';
import { createScratch, type Scratch } from './scratch.ts';

/** A folder as the Engine is told of it. */
export interface ShownFolder {
  source: string;
  target: string;
}

/** The folders of the node that workloads see. */
export interface Folders {
  /** Puts those of an order in place. `engineRoot`: where the Engine keeps its data. @throws BackendError `start_failed` */
  prepare(order: StartOrder, engineRoot: string, signal: AbortSignal): Promise<ShownFolder[]>;
  /** Takes away what was put in place under a name, the scratch folder with all that is in it. */
  release(name: string, signal: AbortSignal): Promise<void>;
  /** Names under which something is in place. */
  names(): Promise<string[]>;
  /** Why a folder of the node cannot be given now; `null` when it can. */
  fault(path: string, engineRoot: string): Promise<string | null>;
  /** For every workload; empty where the node has none. */
  env: Readonly<Record<'WEIR_SHARED_DIR' | 'WEIR_SCRATCH_DIR', string>>;
}

type Options = Pick<DockerBackendOptions, 'policy' | 'privateDir' | 'socketPath' | 'cluster' | 'node'>;

/** Names what is put in place for an attempt. */
export function folderName({ task, attempt }: WorkloadRef): string {
  return `${task}-${attempt}`;
}

export function createFolders(options: Options): Folders {
  const { policy, privateDir, socketPath } = options;
  const binds = createBindMounts({ folder: join(privateDir, 'mounts'), socketPath, run: runTool });
  const scratch = scratchOf(options);
  return {
    async prepare(order, engineRoot, signal) {
      const plans = planFolders(order.spec, policy);
      if (plans.length === 0) return [];
      if (!mayMount()) throw refused('this node cannot give folders: its Runner is not root');
      const name = folderName(order.ref);
      const open: { handle: FileHandle; readOnly: boolean }[] = [];
      try {
        for (const plan of plans) {
          assertGivable(plan, keptOut(options, engineRoot));
          open.push({ handle: await openPlanned(plan, name, scratch), readOnly: plan.readOnly });
        }
        const sources = await binds.make(name, open, signal);
        return plans.map(({ target }, at) => ({ source: sources[at] ?? '', target }));
      } catch (error) {
        if (signal.aborted || error instanceof BackendError) throw error;
        throw refused(`this node could not prepare folders: ${sentence(error)}`, error);
      } finally {
        await Promise.all(open.map(({ handle }) => handle.close()));
      }
    },
    async release(name, signal) {
      await binds.drop(name, signal);
      await scratch?.remove(name, signal);
    },
    names: async () => [...new Set([...(await binds.names()), ...((await scratch?.names()) ?? [])])],
    async fault(path, engineRoot) {
      if (!mayMount()) return 'the Runner is not root';
      return rootFault(path, keptOut(options, engineRoot)) ?? openFault(path);
    },
    env: {
      WEIR_SHARED_DIR: policy.sharedDir === null ? '' : sharedTarget,
      WEIR_SCRATCH_DIR: policy.scratchDir === null ? '' : scratchTarget,
    },
  };
}

function scratchOf({ policy: { scratchDir }, cluster, node }: Options): Scratch | null {
  return scratchDir === null
    ? null
    : createScratch({ dir: scratchDir, owner: `weir-${cluster}-${node}`, run: runTool });
}

function mayMount(): boolean {
  return process.geteuid?.() === 0;
}

/** Our data, the Engine's and its socket: no workload gets them, nor a folder that they lie in. */
function keptOut({ privateDir, socketPath }: Options, engineRoot: string): string[] {
  return [privateDir, dirname(privateDir), socketPath, ...(engineRoot === '' ? [] : [engineRoot])];
}

function assertGivable({ what, root }: FolderPlan, ours: readonly string[]): void {
  const fault = rootFault(root, ours);
  if (fault !== null) throw refused(`${what}: ${fault}`);
}

async function openPlanned(
  { what, kind, root, subPath }: FolderPlan,
  name: string,
  scratch: Scratch | null,
): Promise<FileHandle> {
  try {
    if (kind === 'own' && scratch !== null) return await scratch.open(name);
    return await openBeneath(await openFolder(root), subPath ?? '');
  } catch (error) {
    throw error instanceof PathFault ? refused(`${what}: ${error.message}`, error) : error;
  }
}

async function openFault(path: string): Promise<string | null> {
  try {
    await (await openFolder(path)).close();
    return null;
  } catch (error) {
    return sentence(error);
  }
}

function sentence(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
