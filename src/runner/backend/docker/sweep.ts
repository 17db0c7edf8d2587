import { containerName } from './identity.ts';
import type { BackendWorkload } from '../backend.ts';
import type { DockerParts } from './parts.ts';

/**
 * Lists, and at the first time takes away the folders of attempts that have no container any more: a Runner was killed
 * while it cleaned up, and its journal went too.
 */
export function createSweepingList(
  parts: DockerParts,
  list: (signal: AbortSignal) => Promise<BackendWorkload[]>,
): (signal: AbortSignal) => Promise<BackendWorkload[]> {
  let swept = false;
  return async (signal) => {
    if (swept) return list(signal);
    const { folders, turns, options } = parts;
    const starting = turns.names();
    const there = await folders.names().catch(() => null);
    const listed = await list(signal);
    const live = new Set([...starting, ...turns.names(), ...listed.map(({ ref }) => containerName(ref))]);
    try {
      for (const name of there ?? []) if (!live.has(`weir-${name}`)) await folders.release(name, signal);
      swept = there !== null;
    } catch (error) {
      signal.throwIfAborted();
      options.log.warn({ err: error }, 'folders of workloads that are gone could not be taken away; trying again');
    }
    return listed;
  };
}
