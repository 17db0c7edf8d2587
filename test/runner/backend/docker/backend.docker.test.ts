import { join } from 'node:path';
import { containerName } from '../../../../src/runner/backend/docker/identity.ts';
import { backendContract } from '../../../contract/backend.ts';
import type { BackendHarness, Deed } from '../../../contract/backend-harness.ts';
import { createDockerNode, demoImage, docker, engineSocket, shell } from '../../../support/docker.ts';
import { createSocketProxy } from '../../../support/socket-proxy.ts';

backendContract('Docker', async () => {
  const node = await createDockerNode();
  const proxy = await createSocketProxy(join(node.folder, 'engine.sock'), engineSocket);
  return {
    open: () => node.open({ socketPath: proxy.path }),
    image: demoImage,
    missingImage: 'weir/no-such-image:1',
    argv: (deeds) => shell(deeds.map(line).join('\n')),
    nextCounter: node.nextCounter,
    cutNextStart: () => proxy.downAt(/^POST \/containers\/[^/]+\/start/),
    disconnect: proxy.down,
    reconnect: proxy.up,
    async removeByHand({ ref }) {
      await docker('rm', '-f', containerName(ref));
    },
    async [Symbol.asyncDispose]() {
      await proxy[Symbol.asyncDispose]();
      await node[Symbol.asyncDispose]();
    },
  } satisfies BackendHarness;
});

function line(deed: Deed): string {
  if (deed === 'eat memory') return 'x=weir; while :; do x=$x$x; done';
  if (deed === 'sleep for ever') return 'exec sleep 86400';
  if ('print' in deed) return `echo '${deed.print}'`;
  if ('warn' in deed) return `echo '${deed.warn}' >&2`;
  if ('sleepMs' in deed) return `sleep ${deed.sleepMs / 1000}`;
  if ('ignore' in deed) return `trap '' ${deed.ignore.slice(3)}`;
  return `exit ${deed.exit}`;
}
