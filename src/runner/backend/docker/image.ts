import type Docker from 'dockerode';
import { abortable } from '../../../lib/abort.ts';
import { BackendError } from '../backend.ts';
import { askUnless } from './engine.ts';
import { parseImageReference, sourceOf } from './image-reference.ts';
import type { DockerParts } from './parts.ts';

export interface PresentImage {
  env: readonly string[];
}

/**
 * Looks for an image on this machine; `null` when it may be pulled and is not there.
 * @throws BackendError `image_not_found` when the node's lists do not allow it, or when it is local and not there
 */
export async function findImage(parts: DockerParts, image: string, signal: AbortSignal): Promise<PresentImage | null> {
  const { allowedLocalPrefixes, registries } = parts.options;
  const source = sourceOf(image, { localPrefixes: allowedLocalPrefixes, registries });
  if (source.kind === 'refused') throw new BackendError('image_not_found', source.message);
  const info = await askUnless(abortable(parts.docker.getImage(image).inspect(), signal), [404], signal);
  if (source.kind === 'local') {
    if (info === null || !isNamed(info, image)) {
      throw new BackendError('image_not_found', `"${image}" is a local image and is not on this node`);
    }
  } else if (info !== null && !isPulled(info, image)) {
    throw new BackendError(
      'image_not_found',
      `"${image}" names an image that somebody made on this node; only images of a registry may be used by that name`,
    );
  }
  return info === null ? null : { env: info.Config.Env ?? [] };
}

/** The engine also finds images by a part of their id, which is no name of theirs. */
function isNamed(info: Docker.ImageInspectInfo, image: string): boolean {
  const { familiar, version } = parseImageReference(image);
  return version.startsWith('sha256:')
    ? info.RepoDigests.includes(`${familiar}@${version}`)
    : info.RepoTags.includes(`${familiar}:${version}`);
}

/** Has the name and came from its registry: what a colleague built and tagged has no digest there. */
function isPulled(info: Docker.ImageInspectInfo, image: string): boolean {
  const { familiar } = parseImageReference(image);
  return isNamed(info, image) && info.RepoDigests.some((digest) => digest.startsWith(`${familiar}@`));
}
