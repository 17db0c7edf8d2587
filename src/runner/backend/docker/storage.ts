import { pathsOverlap } from '../../../lib/path-overlap.ts';
import type { MountEntry } from './mount-table.ts';

/** What the Engine says of where it keeps the layers of containers. */
export interface EngineStorage {
  driver: string;
  /** Of the Engine's data root; empty when it does not say. */
  backingFileSystem: string;
  rootDir: string;
}

/**
 * Whether the writable layer of a container can be limited (`StorageOpt.size`): overlay2 needs project quotas of xfs,
 * btrfs and zfs have their own.
 */
export function canLimitDisk(
  { driver, backingFileSystem, rootDir }: EngineStorage,
  mounts: readonly MountEntry[],
): boolean {
  if (driver === 'btrfs' || driver === 'zfs') return true;
  if (driver !== 'overlay2' || backingFileSystem !== 'xfs') return false;
  const around = mounts.filter(({ mountPoint }) => rootDir === mountPoint || isBeneath(rootDir, mountPoint));
  const nearest = around.reduce<MountEntry | null>(
    (best, one) => (best !== null && best.mountPoint.length > one.mountPoint.length ? best : one),
    null,
  );
  return nearest?.options.some((option) => option === 'pquota' || option === 'prjquota') ?? false;
}

function isBeneath(path: string, folder: string): boolean {
  return path.length > folder.length && pathsOverlap(path, folder);
}
