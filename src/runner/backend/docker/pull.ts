import { abortable } from '../../../lib/abort.ts';
import { BackendError } from '../backend.ts';
import { engineSentence, ask } from './engine.ts';
import { findImage } from './image.ts';
import { parseImageReference } from './image-reference.ts';
import { jsonLines } from './lines.ts';
import type { RegistryCredential } from './options.ts';
import type { DockerParts } from './parts.ts';
import { pullError } from './pull-error.ts';
import type { PullLine } from './pull-progress.ts';
import { createPullProgress } from './pull-progress.ts';

type OnProgress = (text: string) => void;

interface SharedPull {
  askers: Set<OnProgress>;
  done: Promise<void>;
  stop: AbortController;
}

export type PullImage = (image: string, onProgress: OnProgress, signal: AbortSignal) => Promise<void>;

/** One pull per image at a time, shared by all who ask; it is given up when the last of them has left. */
export function createPuller(parts: DockerParts): PullImage {
  const running = new Map<string, SharedPull>();

  const begin = (image: string): SharedPull => {
    const askers = new Set<OnProgress>();
    const stop = new AbortController();
    const tell: OnProgress = (text) => {
      for (const one of askers) one(text);
    };
    const pull: SharedPull = { askers, stop, done: runPull(parts, { image, tell }, stop.signal) };
    running.set(image, pull);
    const over = (): void => {
      if (running.get(image) === pull) running.delete(image);
    };
    pull.done.then(over, over);
    return pull;
  };

  return async (image, onProgress, signal) => {
    if ((await findImage(parts, image, signal)) !== null) return;
    const pull = running.get(image) ?? begin(image);
    // Each asker counts, also when two of them bring the same function.
    const asker: OnProgress = (text) => onProgress(text);
    pull.askers.add(asker);
    try {
      await abortable(pull.done, signal);
    } finally {
      pull.askers.delete(asker);
      if (pull.askers.size === 0) {
        if (running.get(image) === pull) running.delete(image);
        pull.stop.abort(new Error(`nobody waits for "${image}" any more`));
      }
    }
  };
}

async function runPull(
  parts: DockerParts,
  order: { image: string; tell: OnProgress },
  signal: AbortSignal,
): Promise<void> {
  const { image, tell } = order;
  try {
    const stream = await ask(parts.docker.createImage(await queryOf(parts, image, signal)), signal);
    const progress = createPullProgress();
    for await (const { value } of jsonLines(stream as AsyncIterable<Uint8Array>)) {
      const line = value as PullLine;
      if (line.error !== undefined) throw pullError(image, line.error);
      const text = progress.add(line);
      if (text !== null) tell(text);
    }
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    throw error instanceof BackendError ? error : pullError(image, engineSentence(error), error);
  }
  if ((await findImage(parts, image, signal)) === null) {
    throw new BackendError('image_pull_failed', `"${image}" was pulled and is not there: the engine went away?`);
  }
}

async function queryOf({ options }: DockerParts, image: string, signal: AbortSignal): Promise<object> {
  const { registry, repository, version } = parseImageReference(image);
  const credential = await credentialFor(options, image, registry);
  return {
    fromImage: `${registry}/${repository}`,
    tag: version,
    abortSignal: signal,
    ...(credential === null ? {} : { authconfig: credential }),
  };
}

/** @throws BackendError when the node's own file cannot be used: the engine is not asked then */
async function credentialFor(
  { credential }: DockerParts['options'],
  image: string,
  registry: string,
): Promise<RegistryCredential | null> {
  try {
    return (await credential?.(registry)) ?? null;
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new BackendError('image_pull_failed', `"${image}" could not be pulled: ${why}`, error);
  }
}
