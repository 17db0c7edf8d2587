import { readFileSync } from 'node:fs';
import { nodeHashes } from '../../src/lib/node/hashes.ts';
import { silentLogger } from '../../src/lib/logger.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { nodeId } from '../../src/protocol/ids.ts';
import { defaultPolicy } from '../../src/runner/policy.ts';
import type { StartOrder } from '../../src/runner/backend/backend.ts';
import { createDockerBackend } from '../../src/runner/backend/docker/docker-backend.ts';
import type { DockerBackendOptions } from '../../src/runner/backend/docker/options.ts';

/** A Runner's backend that is killed, SIGKILL, as soon as its start has come back. Its argument names the file that says what it starts. */
const [, , file = ''] = process.argv;
const { order, macKey, ...given } = JSON.parse(readFileSync(file, 'utf8')) as Pick<
  DockerBackendOptions,
  'socketPath' | 'cluster' | 'privateDir'
> & { order: StartOrder; macKey: string; node: string };
const node = nodeId.parse(given.node);
if (node === null) throw new Error(`${given.node} is no node`);
const backend = createDockerBackend({
  ...given,
  node,
  macKey: Buffer.from(macKey, 'hex'),
  hashes: nodeHashes,
  clock: systemClock,
  log: silentLogger,
  network: async () => ({ networkMode: 'none' }),
  policy: defaultPolicy,
  allowedLocalPrefixes: ['weir/'],
  registries: [],
  maxStarts: 1,
});
await backend.start(order, new AbortController().signal);
process.kill(process.pid, 'SIGKILL');
