import { pathsOverlap, systemFolders } from '../../../lib/path-overlap.ts';
import type { WorkloadSpec } from '../../../protocol/sync.ts';
import type { NodeMount, RunnerPolicy } from '../../policy.ts';
import { refused } from './refused.ts';

export const sharedTarget = '/shared';
export const scratchTarget = '/scratch';

/** A folder that a workload sees. */
export interface FolderPlan {
  /** As people call it: `mount "data"`. */
  what: string;
  /** `own`: a folder in it that is made for the attempt. */
  kind: 'as-it-is' | 'own';
  /** On the node. */
  root: string;
  /** In it. */
  subPath: string | null;
  /** In the container. */
  target: string;
  readOnly: boolean;
}

type Policy = Pick<RunnerPolicy, 'mounts' | 'sharedDir' | 'scratchDir'>;

/**
 * What a workload gets: what it asks for by name, what every one gets, the shared folder and its own scratch.
 * @throws BackendError `start_failed` when the node's file does not have it
 */
export function planFolders(spec: Pick<WorkloadSpec, 'mounts'>, policy: Policy): FolderPlan[] {
  const asked = (spec.mounts ?? []).map((mount) => {
    const { name, path, subPath = null, readOnly } = mount;
    const node = policy.mounts.find((one) => one.name === name);
    if (node === undefined) throw refused(`there is no mount "${name}" on this node (${listed(policy.mounts)})`);
    if (node.readOnly && !readOnly) throw refused(`the mount "${name}" of this node is read-only: ask for it so`);
    return { what: `mount "${name}"`, kind: 'as-it-is' as const, root: node.path, subPath, target: path, readOnly };
  });
  const given = policy.mounts
    .filter(({ everyWorkload }) => everyWorkload)
    .map(({ name, path, readOnly, target }) => ({
      what: `mount "${name}"`,
      kind: 'as-it-is' as const,
      root: path,
      subPath: null,
      target,
      readOnly,
    }))
    // Who asks for it at its own place gets what he asked for.
    .filter((one) => !asked.some(({ what, target }) => what === one.what && target === one.target));
  const plan = [...given, ...ownFolders(policy), ...asked];
  for (const [at, { what, target }] of plan.entries()) {
    const other = plan.slice(0, at).find((one) => one.target === target);
    if (other !== undefined) throw refused(`${what} cannot be at ${target}: the ${other.what} of this node is there`);
  }
  return plan;
}

function ownFolders({ sharedDir, scratchDir }: Policy): FolderPlan[] {
  const common = { subPath: null, readOnly: false };
  return [
    ...(sharedDir === null
      ? []
      : [{ ...common, what: 'shared folder', kind: 'as-it-is' as const, root: sharedDir, target: sharedTarget }]),
    ...(scratchDir === null
      ? []
      : [{ ...common, what: 'scratch folder', kind: 'own' as const, root: scratchDir, target: scratchTarget }]),
  ];
}

function listed(mounts: readonly NodeMount[]): string {
  return mounts.length === 0 ? 'it has none' : `it has ${mounts.map(({ name }) => name).join(', ')}`;
}

/** Why a path of the node may not be given to workloads; `null` when it may. `ours`: our data, the Engine's, sockets. */
export function rootFault(path: string, ours: readonly string[]): string | null {
  const near = [...systemFolders, ...ours].find((one) => pathsOverlap(path, one));
  return near === undefined ? null : `"${path}" is, holds or lies in ${near}, which no workload gets`;
}
