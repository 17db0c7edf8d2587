import { access, constants } from 'node:fs/promises';
import { BackendError } from '../backend.ts';
import type { LogChunk, WorkloadRef } from '../backend.ts';
import type { Container } from './container.ts';
import { findContainer } from './container.ts';
import { createFileWake } from './file-wake.ts';
import { followLogs, isFollowPosition } from './log-follow.ts';
import { tailJsonFile } from './log-tail.ts';
import type { DockerParts } from './parts.ts';

/** Without a sign of the event stream, how often to look at the file and at the engine. */
const pollMs = 1000;

/**
 * Output of an attempt behind `position`; ends when the workload has ended and all was read, also when it is not
 * there at all. Rejects with the signal's reason.
 */
export async function* readLogs(
  parts: DockerParts,
  from: { ref: WorkloadRef; position: string | null },
  signal: AbortSignal,
): AsyncGenerator<LogChunk> {
  const container = await waitForOutput(parts, from.ref, signal);
  if (container === null) return;
  const followed = from.position !== null && isFollowPosition(from.position);
  if (followed || !(await mayRead(container.logPath))) yield* followLogs(parts, { ...from, id: container.id }, signal);
  else yield* tailLogs(parts, { ...from, container }, signal);
}

async function* tailLogs(
  parts: DockerParts,
  from: { ref: WorkloadRef; position: string | null; container: Container },
  signal: AbortSignal,
): AsyncGenerator<LogChunk> {
  const { ref, container } = from;
  const wake = createFileWake(container.logPath, { clock: parts.options.clock, pollMs });
  const stopListening = parts.holdings.onSign(ref, () => wake.raise());
  const hasEnded = (): Promise<boolean> => hasContainerEnded(parts, ref, signal);
  try {
    const offset = Number(from.position ?? 0);
    yield* tailJsonFile({ path: container.logPath, offset, wake, hasEnded }, signal);
  } finally {
    stopListening();
    wake.close();
  }
}

/** A container has its file from its first start on. */
async function waitForOutput(parts: DockerParts, ref: WorkloadRef, signal: AbortSignal): Promise<Container | null> {
  for (;;) {
    const container = await findContainer(parts, ref, signal);
    if (container === null || container.logPath !== '') return container;
    await parts.options.clock.sleep(pollMs, signal);
  }
}

async function hasContainerEnded(parts: DockerParts, ref: WorkloadRef, signal: AbortSignal): Promise<boolean> {
  try {
    const phase = (await findContainer(parts, ref, signal))?.phase;
    return phase === undefined || phase === 'ended';
  } catch (error) {
    // An engine that is away writes nothing, and what it will write is read when it is back.
    if (error instanceof BackendError && error.code === 'engine_down') return false;
    throw error;
  }
}

async function mayRead(path: string): Promise<boolean> {
  return access(path, constants.R_OK).then(
    () => true,
    () => false,
  );
}
