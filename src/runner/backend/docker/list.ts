import type { ContainerInfo } from 'dockerode';
import type { BackendWorkload } from '../backend.ts';
import { inspectContainer, phaseOf, workloadOf } from './container.ts';
import { ask } from './engine.ts';
import { heldOf } from './holdings.ts';
import { readIdentity } from './identity.ts';
import type { DockerParts } from './parts.ts';

/** How many containers the engine is asked about at a time. */
const atOnce = 8;

/** Everything that is ours, live or ended. One call, and one more for each container that is new to us. */
export async function listContainers(parts: DockerParts, signal: AbortSignal): Promise<BackendWorkload[]> {
  const filters = { label: [`weir.node=${parts.identity.node}`, 'weir.kind=task'] };
  const call = parts.docker.listContainers({ all: true, filters, abortSignal: signal });
  const infos = await ask(call, signal);
  const found: (BackendWorkload | null)[] = [];
  for (let at = 0; at < infos.length; at += atOnce) {
    const some = infos.slice(at, at + atOnce).map((info) => readListed(parts, info, signal));
    found.push(...(await Promise.all(some)));
  }
  return found.filter((one) => one !== null);
}

async function readListed(
  parts: DockerParts,
  info: ContainerInfo,
  signal: AbortSignal,
): Promise<BackendWorkload | null> {
  const name = info.Names.find((one) => one.lastIndexOf('/') === 0)?.slice(1) ?? '';
  const ours = readIdentity(parts.identity, name, info.Labels);
  if (ours === null) return null;
  const phase = phaseOf(info.State);
  const held = parts.holdings.get(ours.ref);
  if (held?.id === info.Id && (held.startedAtMs !== null || phase === 'created')) {
    return { ...ours, phase, startedAtMs: held.startedAtMs };
  }
  const container = await inspectContainer(parts, info.Id, signal);
  if (container === null) return null;
  parts.holdings.keep(container.ref, heldOf(container));
  return workloadOf(container);
}
