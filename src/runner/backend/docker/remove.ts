import type { WorkloadRef } from '../backend.ts';
import { removeCgroup } from './cgroup.ts';
import { findContainer } from './container.ts';
import { askUnless } from './engine.ts';
import { folderName } from './folders.ts';
import { containerName } from './identity.ts';
import type { DockerParts } from './parts.ts';

/** While the engine removes it already, how often to look whether it has. */
const lookAgainMs = 50;

/** Takes away the container of an attempt, its anonymous volumes, its control group and what we noted of it. */
export async function removeContainer(parts: DockerParts, ref: WorkloadRef, signal: AbortSignal): Promise<void> {
  const { clock } = parts.options;
  for (;;) {
    const container = await findContainer(parts, ref, signal);
    if (container === null) break;
    const call = parts.docker.getContainer(container.id).remove({ v: true, force: true, abortSignal: signal });
    // 409: it is being removed, by an earlier call of ours or by hand.
    const refused =
      (await askUnless(
        call.then(() => 'removed'),
        [404, 409],
        signal,
      )) === null;
    if (!refused) break;
    await clock.sleep(lookAgainMs, signal);
  }
  const { layout } = await parts.life.about(signal);
  await removeCgroup(layout, ref);
  await parts.folders.release(folderName(ref), signal);
  parts.trimmed.delete(containerName(ref));
  await parts.marks.clear(containerName(ref));
  parts.holdings.forget(ref);
}
