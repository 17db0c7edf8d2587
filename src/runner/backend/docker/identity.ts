import type { Hashes } from '../../../lib/crypto.ts';
import type { NodeId } from '../../../protocol/ids.ts';
import { taskId } from '../../../protocol/ids.ts';
import type { StartOrder, WorkloadRef } from '../backend.ts';

/** Who this Runner is, as far as containers must know. */
export interface Identity {
  cluster: string;
  node: NodeId;
  macKey: Uint8Array;
  hashes: Hashes;
}

/** What the labels of a container of ours say. */
export interface ContainerIdentity {
  ref: WorkloadRef;
  generation: number;
  owner: string;
}

/** Name of the container of an attempt. */
export function containerName(ref: WorkloadRef): string {
  return `weir-${ref.task}-${ref.attempt}`;
}

/**
 * Over the container's name too: image labels become container labels and a commit copies ours, so that labels alone
 * would make a colleague's `docker run` of a snapshot a task of ours.
 */
function macOf(identity: Identity, name: string, ref: WorkloadRef): string {
  const parts = ['weir container', name, ref.task, ref.attempt, identity.cluster, identity.node];
  return identity.hashes.hmac(identity.macKey, JSON.stringify(parts));
}

/** The labels of a container that is about to be created. */
export function labelsFor(identity: Identity, order: StartOrder): Record<string, string> {
  return {
    'weir.cluster': identity.cluster,
    'weir.node': identity.node,
    'weir.kind': 'task',
    'weir.id': order.ref.task,
    'weir.attempt': String(order.ref.attempt),
    'weir.generation': String(order.generation),
    'weir.spec': identity.hashes.sha256(JSON.stringify(order.spec)),
    'weir.owner': order.spec.owner,
    'weir.mac': macOf(identity, containerName(order.ref), order.ref),
  };
}

/** Reads the labels of a container; `null` when it is not ours, whatever they say. */
export function readIdentity(
  identity: Identity,
  name: string,
  labels: Readonly<Record<string, string | undefined>>,
): ContainerIdentity | null {
  const task = taskId.parse(labels['weir.id'] ?? '');
  const attempt = wholeNumber(labels['weir.attempt']);
  const generation = wholeNumber(labels['weir.generation']);
  if (task === null || attempt === null || generation === null) return null;
  if (labels['weir.node'] !== identity.node || labels['weir.cluster'] !== identity.cluster) return null;
  const ref = { task, attempt };
  if (labels['weir.kind'] !== 'task' || name !== containerName(ref)) return null;
  if (!identity.hashes.equal(labels['weir.mac'] ?? '', macOf(identity, name, ref))) return null;
  return { ref, generation, owner: labels['weir.owner'] ?? '' };
}

function wholeNumber(text: string | undefined): number | null {
  return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : null;
}
