import type { FileHandle } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { runTool } from '../../../lib/node/run-tool.ts';
import { BackendError, type StartOrder, type WorkloadRef } from '../backend.ts';
import { createBindMounts } from './bind-mounts.ts';
import { type FolderPlan, planFolders, rootFault, scratchTarget, sharedTarget } from './folder-plan.ts';
import { openBeneath, openFolder, PathFault } from './open-beneath.ts';
import type { DockerBackendOptions } from './options.ts';
import { refused } from './refused.ts';
import { createScratch } from './scratch.ts';

/** A folder as the Engine is told of it. */
export interface ShownFolder {
  source: string;
  target: string;
  readOnly: boolean;
}

/** The folders of the node that workloads see. */
export interface Folders {
  /** Whether an order gets any. @throws BackendError `start_failed` when the node's file does not have one */
  plan(order: StartOrder): FolderPlan[];
  /** Puts them in place. `engineRoot`: where the Engine keeps its data. @throws BackendError `start_failed` */
  prepare(order: StartOrder, engineRoot: string, signal: AbortSignal): Promise<ShownFolder[]>;
  /** Takes away what was put in place for an attempt, its scratch folder with all that is in it. */
  release(ref: WorkloadRef, signal: AbortSignal): Promise<void>;
  /** Names of all that was put in place, `TASK-ATTEMPT`. */
  names(): Promise<string[]>;
  releaseNamed(name: string, signal: AbortSignal): Promise<void>;
  /** Why a folder of the node cannot be given now; `null` when it can. */
  fault(path: string, engineRoot: string): Promise<string | null>;
  /** For every workload; empty where the node has none. */
  env: Readonly<Record<'WEIR_SHARED_DIR' | 'WEIR_SCRATCH_DIR', string>>;
}

type Options = Pick<DockerBackendOptions, 'policy' | 'privateDir' | 'socketPath' | 'cluster' | 'node'>;

export function createFolders(options: Options): Folders {
  const { policy, privateDir, socketPath } = options;
  const { sharedDir, scratchDir } = policy;
  const binds = createBindMounts({ folder: join(privateDir, 'mounts'), socketPath, run: runTool });
  const scratch =
    scratchDir === null
      ? null
      : createScratch({ dir: scratchDir, owner: `weir-${options.cluster}-${options.node}`, run: runTool });
  const ours = (engineRoot: string): string[] => [
    privateDir,
    dirname(privateDir),
    socketPath,
    ...(engineRoot === '' ? [] : [engineRoot]),
  ];

  const openPlanned = async (plan: FolderPlan, name: string, engineRoot: string): Promise<FileHandle> => {
    const root = plan.root === 'scratch' ? (scratchDir ?? '') : plan.root;
    const fault = rootFault(root, ours(engineRoot));
    if (fault !== null) throw refused(`${plan.what}: ${fault}`);
    try {
      if (plan.root === 'scratch' && scratch !== null) return await scratch.open(name);
      return await openBeneath(await openFolder(root), plan.subPath ?? '');
    } catch (error) {
      throw error instanceof PathFault ? refused(`${plan.what}: ${error.message}`, error) : error;
    }
  };
  const release = async (name: string, signal: AbortSignal): Promise<void> => {
    await binds.drop(name, signal);
    if (scratch !== null) await scratch.remove(name, signal);
  };
  return {
    plan: ({ spec }) => planFolders(spec, policy),
    async prepare(order, engineRoot, signal) {
      const plans = planFolders(order.spec, policy);
      if (plans.length === 0) return [];
      if (process.geteuid?.() !== 0) throw refused('this node cannot give folders: its Runner is not root');
      const name = nameOf(order.ref);
      const handles: FileHandle[] = [];
      try {
        for (const plan of plans) handles.push(await openPlanned(plan, name, engineRoot));
        const bound = plans.flatMap(({ readOnly }, at) =>
          handles.slice(at, at + 1).map((handle) => ({ handle, readOnly })),
        );
        const sources = await binds.make(name, bound, signal);
        return plans.map(({ target, readOnly }, at) => ({ source: sources[at] ?? '', target, readOnly }));
      } catch (error) {
        if (signal.aborted || error instanceof BackendError) throw error;
        throw refused(
          `this node could not prepare folders: ${error instanceof Error ? error.message : String(error)}`,
          error,
        );
      } finally {
        await Promise.all(handles.map((handle) => handle.close()));
      }
    },
    release: (ref, signal) => release(nameOf(ref), signal),
    names: async () => [...new Set([...(await binds.names()), ...((await scratch?.names().catch(() => [])) ?? [])])],
    releaseNamed: release,
    async fault(path, engineRoot) {
      if (process.geteuid?.() !== 0) return 'the Runner is not root';
      const fault = rootFault(path, ours(engineRoot));
      if (fault !== null) return fault;
      return openFolder(path).then(
        async (handle) => handle.close().then(() => null),
        (error: unknown) => (error instanceof Error ? error.message : String(error)),
      );
    },
    env: {
      WEIR_SHARED_DIR: sharedDir === null ? '' : sharedTarget,
      WEIR_SCRATCH_DIR: scratchDir === null ? '' : scratchTarget,
    },
  };
}

function nameOf({ task, attempt }: WorkloadRef): string {
  return `${task}-${attempt}`;
}
