import type { BackendWorkload, StartOrder } from '../backend.ts';
import { BackendError } from '../backend.ts';
import { setCpuShares } from './cgroup.ts';
import type { Container } from './container.ts';
import { findContainer, findStanding, workloadOf } from './container.ts';
import { cpuShares } from './cpu-shares.ts';
import { createContainer, missingImage } from './create.ts';
import { ask, engineSentence, statusOf } from './engine.ts';
import { heldOf } from './holdings.ts';
import { containerName } from './identity.ts';
import type { DockerParts } from './parts.ts';
import { hasInput } from './posture.ts';
import { removeContainer } from './remove.ts';
import { startError } from './start-error.ts';
import { feedInput, type Input } from './stdin.ts';

/** Creates and starts the container of an order, or what of that was not done before. */
export function startContainer(parts: DockerParts, order: StartOrder, signal: AbortSignal): Promise<BackendWorkload> {
  const name = containerName(order.ref);
  const start = async (): Promise<BackendWorkload> => {
    const container = await createOrAdopt(parts, order, signal);
    if (container === null || container.phase === 'created') await startCreated(parts, order, signal);
    const now = await findContainer(parts, order.ref, signal);
    if (now === null) throw new BackendError('start_failed', `${name} was removed while it started`);
    parts.holdings.keep(order.ref, heldOf(now));
    return workloadOf(now);
  };
  return parts.starts.run(() => parts.turns.run(name, start), signal);
}

/** While another create holds the name and its container cannot be seen yet, when to try again. */
const tryAgainMs = 20;
const mostTries = 100;

/** `null`: it was created just now. */
async function createOrAdopt(parts: DockerParts, order: StartOrder, signal: AbortSignal): Promise<Container | null> {
  if (hasInput(order.spec)) await removeUnstarted(parts, order, signal);
  for (let tries = 1; ; tries += 1) {
    try {
      await createContainer(parts, order, signal);
      return null;
    } catch (error) {
      if (!isTaken(error)) throw refusal(order, error);
      const there = await findStanding(parts, order.ref, signal);
      if (there !== null && there !== 'foreign' && mayStand(there, error)) return there;
      // An image that is gone hinders only what is not there yet.
      if (error instanceof BackendError || there === 'foreign' || tries === mostTries) throw refusal(order, error);
    }
    await parts.options.clock.sleep(tryAgainMs, signal);
  }
}

/** The engine may still hold what a Runner that died before the start wrote into it: the text would come twice. */
async function removeUnstarted(parts: DockerParts, { ref }: StartOrder, signal: AbortSignal): Promise<void> {
  const there = await findContainer(parts, ref, signal);
  if (there?.phase === 'created') await removeContainer(parts, ref, signal);
}

/** Something may stand there already: the name is taken, or what it was made of is not there or allowed any more. */
function isTaken(error: unknown): boolean {
  return statusOf(error) === 409 || (error instanceof BackendError && error.code !== 'engine_down');
}

/** What runs is left alone; what never ran does not begin against the word of the node's file. */
function mayStand({ phase }: Container, error: unknown): boolean {
  const denied = error instanceof BackendError && error.code === 'start_failed';
  return phase !== 'created' || !denied;
}

async function startCreated(parts: DockerParts, order: StartOrder, signal: AbortSignal): Promise<void> {
  const { ref, spec } = order;
  const container = parts.docker.getContainer(containerName(ref));
  let input: Input | null = null;
  try {
    if (hasInput(spec)) input = await feedInput(parts, { ref, text: spec.stdin ?? '' }, signal);
    await ask(container.start({ abortSignal: signal }), signal);
  } catch (error) {
    input?.drop();
    if (signal.aborted) throw signal.reason;
    // 304: another start of ours was quicker.
    if (statusOf(error) === 304) return;
    if (statusOf(error) !== null) await removeContainer(parts, ref, signal);
    throw refusal(order, error);
  }
  const { layout } = await parts.life.about(signal);
  await setCpuShares(layout, ref, cpuShares(spec.cpuMilli));
  await input?.handedOver(signal);
}

function refusal(order: StartOrder, error: unknown): BackendError {
  if (error instanceof BackendError) return error;
  const sentence = engineSentence(error);
  if (statusOf(error) === 404 && /no such image/i.test(sentence)) return missingImage(order);
  if (statusOf(error) === 409) {
    const name = containerName(order.ref);
    return new BackendError('start_failed', `a container named ${name} that is not Weir's stands in the way`, error);
  }
  return startError(order.spec.image, sentence, error);
}
