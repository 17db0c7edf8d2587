import type Docker from 'dockerode';
import type { StartOrder } from '../backend.ts';
import { BackendError } from '../backend.ts';
import { assertAllowed } from './allowed.ts';
import { cgroupParent } from './cgroup.ts';
import { ask } from './engine.ts';
import { sharedTarget } from './folder-plan.ts';
import { heldOfOrder } from './holdings.ts';
import { containerName, labelsFor } from './identity.ts';
import { findImage } from './image.ts';
import { cpusetOf } from './numa.ts';
import { isThere } from './offers.ts';
import type { AboutEngine, DockerParts } from './parts.ts';
import { createOptions } from './posture.ts';
import { refused } from './refused.ts';

/**
 * Creates the container of an order with everything that it needs of the node in place.
 * @throws BackendError `start_failed` for what the node's file does not allow or the machine does not have,
 *   `image_not_found`; the engine's refusal as it is
 */
export async function createContainer(parts: DockerParts, order: StartOrder, signal: AbortSignal): Promise<void> {
  const { docker, identity, options, folders } = parts;
  const { spec, ref } = order;
  assertAllowed(spec, options.policy);
  const [image, networkMode, engine, cpuset] = await Promise.all([
    findImage(parts, spec.image, signal),
    networkModeOf(parts, order),
    parts.life.about(signal),
    (spec.numaNode ?? null) === null ? null : cpusetOf(spec.numaNode ?? 0, options.root),
    assertDevices(spec.devices ?? []),
  ]);
  if (image === null) throw missingImage(order);
  if (spec.diskBytes !== undefined && !engine.diskLimit) throw refused(noDiskLimit(engine));
  const shown = await folders.prepare(order, engine.rootDir, signal);
  const body = createOptions({
    order: { ...order, env: { ...order.env, ...folders.env } },
    labels: labelsFor(identity, order),
    imageEnv: image.env,
    networkMode,
    cgroupParent: cgroupParent(engine.layout.driver, ref),
    limits: { nofileHard: engine.nofileHard, cpuset },
    folders: shown,
    workdir: options.policy.sharedDir === null ? null : sharedTarget,
  });
  // The client would put the whole body into the query as well.
  const call = { _query: { name: containerName(ref) }, _body: body, abortSignal: signal };
  await ask(docker.createContainer(call as Docker.ContainerCreateOptions), signal);
  parts.holdings.keep(ref, heldOfOrder(order));
}

export function missingImage(order: StartOrder): BackendError {
  return new BackendError('image_not_found', `"${order.spec.image}" is not on this node`);
}

async function networkModeOf({ options }: DockerParts, { spec }: StartOrder): Promise<string> {
  const { network = 'bridge' } = spec;
  return network === 'bridge' ? (await options.network()).networkMode : network;
}

async function assertDevices(paths: readonly string[]): Promise<void> {
  for (const path of paths) if (!(await isThere(path))) throw refused(`this machine has no device ${path}`);
}

function noDiskLimit({ info }: AboutEngine): string {
  return `this node cannot limit a container's disk: its storage driver is ${info.storageDriver}, which needs xfs with project quotas (pquota) for that`;
}
