import { request } from 'node:http';
import type { Clock } from '../../../lib/clock.ts';
import { BackendError } from '../backend.ts';

const answerMs = 150;

/**
 * An engine that shuts down closes its socket first, then stops its containers, and tells of that on the connections
 * that it has. So only a new connection shows whether it stays.
 *
 * @throws BackendError `engine_down` when it does not answer a new connection
 */
export async function assertEngineStays(
  options: { socketPath: string; clock: Clock },
  signal: AbortSignal,
): Promise<void> {
  const over = new AbortController();
  const either = AbortSignal.any([signal, over.signal]);
  const stays = await Promise.race([
    ping(options.socketPath, either),
    options.clock.sleep(answerMs, either).then(
      () => false,
      () => false,
    ),
  ]);
  over.abort();
  signal.throwIfAborted();
  if (!stays) throw new BackendError('engine_down', 'the Docker Engine is going down');
}

function ping(socketPath: string, signal: AbortSignal): Promise<boolean> {
  return new Promise((resolve) => {
    const asked = request({ socketPath, path: '/_ping', agent: false, signal }, (response) => {
      response.resume();
      resolve(true);
    });
    asked.on('error', () => resolve(false));
    asked.end();
  });
}
