import type { Signal } from '../../../protocol/task-spec.ts';
import type { WorkloadRef } from '../backend.ts';
import { findContainer } from './container.ts';
import { askUnless, engineSentence, statusOf } from './engine.ts';
import { containerName } from './identity.ts';
import type { DockerParts } from './parts.ts';

/** Not there, or not in the state for it: both are what was wanted, or will be seen by the next look. */
const tolerated = [304, 404, 409];

export async function killContainer(
  parts: DockerParts,
  order: { ref: WorkloadRef; name: Signal },
  signal: AbortSignal,
): Promise<void> {
  const container = await findContainer(parts, order.ref, signal);
  if (container === null || container.phase === 'ended') return;
  await parts.marks.mark(containerName(order.ref), order.name);
  const call = parts.docker.getContainer(container.id).kill({ signal: order.name, abortSignal: signal });
  await askUnless(call, tolerated, signal);
}

export async function pauseContainer(parts: DockerParts, ref: WorkloadRef, signal: AbortSignal): Promise<void> {
  const container = await findContainer(parts, ref, signal);
  if (container?.phase !== 'running') return;
  await unlessMoved(parts.docker.getContainer(container.id).pause({ abortSignal: signal }), signal);
}

export async function resumeContainer(parts: DockerParts, ref: WorkloadRef, signal: AbortSignal): Promise<void> {
  const container = await findContainer(parts, ref, signal);
  if (container?.phase !== 'paused') return;
  await unlessMoved(parts.docker.getContainer(container.id).unpause({ abortSignal: signal }), signal);
}

/** It may end or be resumed between our look and our call; Engine 20.10 then says 500. */
async function unlessMoved(call: Promise<unknown>, signal: AbortSignal): Promise<void> {
  try {
    await askUnless(call, tolerated, signal);
  } catch (error) {
    if (statusOf(error) !== 500 || !/not paused|already paused|not running/.test(engineSentence(error))) throw error;
  }
}
