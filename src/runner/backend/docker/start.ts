import type Docker from 'dockerode';
import type { BackendWorkload, StartOrder } from '../backend.ts';
import { BackendError } from '../backend.ts';
import { cgroupParent, setCpuShares } from './cgroup.ts';
import type { Container } from './container.ts';
import { findContainer, findStanding, workloadOf } from './container.ts';
import { ask, engineSentence, statusOf } from './engine.ts';
import { heldOf, heldOfOrder } from './holdings.ts';
import { containerName, labelsFor } from './identity.ts';
import { findImage } from './image.ts';
import type { DockerParts } from './parts.ts';
import { createOptions } from './posture.ts';
import { removeContainer } from './remove.ts';
import { startError } from './start-error.ts';

/** Creates and starts the container of an order, or what of that was not done before. */
export function startContainer(
  parts: DockerParts,
  order: StartOrder,
  signal: AbortSignal,
): Promise<BackendWorkload> {
  return parts.starts.run(async () => {
    const container = await createOrAdopt(parts, order, signal);
    if (container === null || container.phase === 'created')
      await startCreated(parts, order, signal);
    const now = await findContainer(parts, order.ref, signal);
    if (now === null)
      throw new BackendError(
        'start_failed',
        `${containerName(order.ref)} was removed while it started`,
      );
    parts.holdings.keep(order.ref, heldOf(now));
    return workloadOf(now);
  }, signal);
}

/** While another create holds the name and its container cannot be seen yet, when to try again. */
const tryAgainMs = 20;
const mostTries = 100;

/** `null`: it was created just now. */
async function createOrAdopt(
  parts: DockerParts,
  order: StartOrder,
  signal: AbortSignal,
): Promise<Container | null> {
  for (let tries = 1; ; tries += 1) {
    try {
      await create(parts, order, signal);
      return null;
    } catch (error) {
      if (!isTaken(error)) throw refusal(order, error);
      const there = await findStanding(parts, order.ref, signal);
      if (there !== null && there !== 'foreign') return there;
      // An image that is gone hinders only what is not there yet.
      if (error instanceof BackendError || there === 'foreign' || tries === mostTries)
        throw refusal(order, error);
    }
    await parts.options.clock.sleep(tryAgainMs, signal);
  }
}

/** Something may stand there already: the name is taken, or the image is not there any more. */
function isTaken(error: unknown): boolean {
  return (
    statusOf(error) === 409 || (error instanceof BackendError && error.code === 'image_not_found')
  );
}

async function create(parts: DockerParts, order: StartOrder, signal: AbortSignal): Promise<void> {
  const { docker, identity, options } = parts;
  const [image, network, engine] = await Promise.all([
    findImage(parts, order.spec.image, signal),
    options.network(),
    parts.life.about(signal),
  ]);
  if (image === null) throw missingImage(order);
  const body = createOptions({
    order,
    labels: labelsFor(identity, order),
    imageEnv: image.env,
    networkMode: network.networkMode,
    cgroupParent: cgroupParent(engine.layout.driver, order.ref),
    nofileHard: engine.nofileHard,
  });
  // The client would put the whole body into the query as well.
  const call = { _query: { name: containerName(order.ref) }, _body: body, abortSignal: signal };
  await ask(docker.createContainer(call as Docker.ContainerCreateOptions), signal);
  parts.holdings.keep(order.ref, heldOfOrder(order));
}

async function startCreated(
  parts: DockerParts,
  order: StartOrder,
  signal: AbortSignal,
): Promise<void> {
  const container = parts.docker.getContainer(containerName(order.ref));
  try {
    await ask(container.start({ abortSignal: signal }), signal);
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    // 304: another start of ours was quicker.
    if (statusOf(error) === 304) return;
    if (statusOf(error) !== null) await removeContainer(parts, order.ref, signal);
    throw refusal(order, error);
  }
  const { layout } = await parts.life.about(signal);
  await setCpuShares(layout, order.ref, cpuShares(order.spec.cpuMilli));
}

/** A core weighs what the kernel gives a group by default; who asked for nothing gets what is left over. */
function cpuShares(cpuMilli: number): number {
  return Math.min(262_144, Math.max(64, Math.round((cpuMilli * 1024) / 1000)));
}

function missingImage(order: StartOrder): BackendError {
  return new BackendError('image_not_found', `"${order.spec.image}" is not on this node`);
}

function refusal(order: StartOrder, error: unknown): BackendError {
  if (error instanceof BackendError) return error;
  const sentence = engineSentence(error);
  if (statusOf(error) === 404 && /no such image/i.test(sentence)) return missingImage(order);
  if (statusOf(error) === 409) {
    const name = containerName(order.ref);
    return new BackendError(
      'start_failed',
      `a container named ${name} that is not Weir's stands in the way`,
      error,
    );
  }
  return startError(order.spec.image, sentence, error);
}
