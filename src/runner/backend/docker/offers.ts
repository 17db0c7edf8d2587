import { access } from 'node:fs/promises';
import type { RunnerPolicy } from '../../policy.ts';
import { defaultCapabilities } from './allowed.ts';
import type { DockerParts } from './parts.ts';

export interface OfferFacts {
  diskLimit: boolean;
  /** Why a folder cannot be given now; `null` when it can. */
  folderFault: (path: string) => Promise<string | null>;
  /** Told of each mount that is left out, and why. */
  onFault: (mount: string, why: string) => void;
}

/**
 * What this node's file allows and the machine has, as the scheduler asks for it: `mount:data`, `mount:data:rw`,
 * `privileged`, `network:host`, `device:/dev/fuse`, `capability:SYS_PTRACE`, `disk-limit`.
 */
export async function offersOf(
  { allow, mounts }: Pick<RunnerPolicy, 'allow' | 'mounts'>,
  facts: OfferFacts,
): Promise<string[]> {
  const offers: string[] = [];
  for (const { name, path, readOnly } of mounts) {
    const fault = await facts.folderFault(path);
    if (fault !== null) facts.onFault(name, fault);
    else offers.push(`mount:${name}`, ...(readOnly ? [] : [`mount:${name}:rw`]));
  }
  if (allow.privileged) offers.push('privileged');
  if (allow.hostNetwork) offers.push('network:host');
  for (const device of allow.devices) if (await isThere(device)) offers.push(`device:${device}`);
  const capabilities = new Set([...defaultCapabilities, ...allow.capabilities]);
  offers.push(...[...capabilities].map((one) => `capability:${one}`));
  if (facts.diskLimit) offers.push('disk-limit');
  return offers;
}

export async function isThere(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

/** Of this node now. */
export async function readOffers(parts: DockerParts, signal: AbortSignal): Promise<string[]> {
  const { options, folders, life } = parts;
  const { rootDir, diskLimit } = await life.about(signal);
  return offersOf(options.policy, {
    diskLimit,
    folderFault: (path) => folders.fault(path, rootDir),
    onFault: (mount, why) => options.log.warn({ mount, why }, 'a mount of this node cannot be given to workloads'),
  });
}
