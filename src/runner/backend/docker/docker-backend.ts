import type { Backend } from '../backend.ts';
import { readUsageNow } from './cgroup.ts';
import { killContainer, pauseContainer, resumeContainer } from './control.ts';
import { endOf } from './end.ts';
import { listContainers } from './list.ts';
import { readLogs } from './logs.ts';
import { readOffers } from './offers.ts';
import type { DockerBackendOptions } from './options.ts';
import { createParts } from './parts.ts';
import { createPuller } from './pull.ts';
import { removeContainer } from './remove.ts';
import { startContainer } from './start.ts';
import { createSweepingList } from './sweep.ts';
import { trimLogs } from './trim-logs.ts';
import { watchContainers } from './watch.ts';

/**
 * Workloads as containers of a Docker Engine (API 1.41, Engine 20.10 or newer). Ours is what carries our labels and
 * our HMAC under the name that it was made for; nothing else is listed or touched. Disposing it closes its
 * connections and leaves the containers alone.
 */
export function createDockerBackend(options: DockerBackendOptions): Backend & AsyncDisposable {
  const { parts, client } = createParts(options);
  return {
    describe: async (signal) => (await parts.life.about(signal)).info,
    list: createSweepingList(parts, (signal) => listContainers(parts, signal)),
    pull: createPuller(parts),
    start: (order, signal) => startContainer(parts, order, signal),
    kill: (ref, name, signal) => killContainer(parts, { ref, name }, signal),
    pause: (ref, signal) => pauseContainer(parts, ref, signal),
    resume: (ref, signal) => resumeContainer(parts, ref, signal),
    end: (ref, signal) => endOf(parts, ref, signal),
    offers: (signal) => readOffers(parts, signal),
    trimLogs: (ref, position, signal) => trimLogs(parts, { ref, position }, signal),
    usage: async (ref, signal) => readUsageNow((await parts.life.about(signal)).layout, ref),
    remove: (ref, signal) => removeContainer(parts, ref, signal),
    watch: (signal) => watchContainers(parts, signal),
    logs: (ref, position, signal) => readLogs(parts, { ref, position }, signal),
    async [Symbol.asyncDispose]() {
      client.close();
    },
  };
}
