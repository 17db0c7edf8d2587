import { abortable } from '../../../lib/abort.ts';
import type { WorkloadRef } from '../backend.ts';
import { ask } from './engine.ts';
import { containerName } from './identity.ts';
import type { DockerParts } from './parts.ts';

/** What is on its way into a workload. */
export interface Input {
  /**
   * Resolves when none of it is with us any more, or after a short time. Socket, engine and pipes hold some 450 kB
   * however little the workload reads: from then on it is whole, also when this process is killed.
   */
  handedOver(signal: AbortSignal): Promise<void>;
  /** It is not wanted any more. */
  drop(): void;
}

const handOverMs = 1000;

/**
 * Puts text and its end on the way into a container that has not started: what the engine takes before the start, a
 * crash between start and write cannot tear off. It keeps nobody waiting, whether the workload reads or not.
 */
export async function feedInput(
  parts: DockerParts,
  { ref, text }: { ref: WorkloadRef; text: string },
  signal: AbortSignal,
): Promise<Input> {
  const container = parts.docker.getContainer(containerName(ref));
  const attached = container.attach({ stream: true, stdin: true, stdout: false, stderr: false, hijack: true });
  const stream = await ask(abortable(attached, signal), signal);
  const over = new Promise<void>((resolve) => {
    stream.once('finish', resolve);
    // A workload that has ended takes no more: that is no failure of anything.
    stream.on('error', () => resolve());
    stream.once('close', resolve);
  });
  // It would hold the process up as long as the workload runs.
  if ('unref' in stream && typeof stream.unref === 'function') stream.unref();
  stream.end(text);
  return {
    async handedOver(until) {
      await Promise.race([over, parts.options.clock.sleep(handOverMs, until).catch(() => undefined)]);
    },
    drop() {
      if ('destroy' in stream && typeof stream.destroy === 'function') stream.destroy();
    },
  };
}
