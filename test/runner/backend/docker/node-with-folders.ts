import { execFile } from 'node:child_process';
import { chmod, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { DockerBackendOptions } from '../../../../src/runner/backend/docker/options.ts';
import { containerName } from '../../../../src/runner/backend/docker/identity.ts';
import { readMountTable } from '../../../../src/runner/backend/docker/mount-table.ts';
import { defaultPolicy, type NodeMount, type RunnerPolicy } from '../../../../src/runner/policy.ts';
import type { Backend, BackendEnd, StartOrder } from '../../../../src/runner/backend/backend.ts';
import { endedOf, watchBackend } from '../../../contract/backend-harness.ts';
import { collect, text } from '../../../contract/log-chunks.ts';
import { createDockerNode, docker, type DockerNode } from '../../../support/docker.ts';

const run = promisify(execFile);
const { signal } = new AbortController();

/** A node whose operator has folders to give. */
export interface NodeWithFolders extends AsyncDisposable {
  node: DockerNode;
  /** Where the folders are. */
  srv: string;
  /** The Runner's own. */
  privateDir: string;
  /** As its file says it; what is given here replaces what it says. */
  open(policy?: Partial<RunnerPolicy>, overrides?: Partial<DockerBackendOptions>): Backend & AsyncDisposable;
  mount(name: string, more?: Partial<NodeMount>): NodeMount;
}

export async function createNodeWithFolders(): Promise<NodeWithFolders> {
  const node = await createDockerNode();
  const srv = join(node.folder, 'srv');
  const privateDir = join(node.folder, 'data/runner');
  for (const name of ['data', 'shared', 'scratch']) {
    await mkdir(join(srv, name), { recursive: true });
    await chmod(join(srv, name), 0o777);
  }
  await mkdir(privateDir, { recursive: true, mode: 0o700 });
  return {
    node,
    srv,
    privateDir,
    open: (policy, overrides) => node.open({ privateDir, policy: { ...defaultPolicy, ...policy }, ...overrides }),
    mount: (name, more) => ({
      name,
      path: join(srv, name),
      readOnly: false,
      everyWorkload: false,
      target: `/mnt/${name}`,
      ...more,
    }),
    async [Symbol.asyncDispose]() {
      await using backend = node.open({ privateDir });
      for (const { ref } of await backend.list(signal)) await backend.remove(ref, signal);
      await unmountBeneath(node.folder);
      await node[Symbol.asyncDispose]();
    },
  };
}

/** What a test that failed left mounted: the folder around it is about to be removed. */
async function unmountBeneath(folder: string): Promise<void> {
  const left = (await readMountTable('self'))?.filter(({ mountPoint }) => mountPoint.startsWith(`${folder}/`)) ?? [];
  for (const { mountPoint } of left) await run('umount', ['-l', mountPoint]);
}

/** Runs an order to its end: what it printed and how it ended. */
export async function outcome(
  backend: Backend,
  order: StartOrder,
): Promise<{ output: string; end: BackendEnd | 'absent' | null }> {
  await using watched = await watchBackend(backend);
  await backend.start(order, signal);
  await watched.until(endedOf(order.ref));
  const output = text(await collect(backend.logs(order.ref, null, signal)));
  return { output, end: await backend.end(order.ref, signal) };
}

/** What the engine says of an order's container. */
export async function inspect(order: StartOrder): Promise<unknown> {
  return JSON.parse(await docker('inspect', '--format', '{{json .}}', containerName(order.ref)));
}
