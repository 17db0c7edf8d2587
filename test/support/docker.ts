import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { systemClock } from '../../src/lib/clock.ts';
import { silentLogger } from '../../src/lib/logger.ts';
import { nodeHashes, nodeRandom } from '../../src/lib/node/hashes.ts';
import { nodeId } from '../../src/protocol/ids.ts';
import type { Backend } from '../../src/runner/backend/backend.ts';
import { createDockerBackend } from '../../src/runner/backend/docker/docker-backend.ts';
import { defaultPolicy } from '../../src/runner/policy.ts';
import type { DockerBackendOptions } from '../../src/runner/backend/docker/options.ts';

const run = promisify(execFile);
export const engineSocket = '/var/run/docker.sock';
export const demoImage = 'weir/demo:1';

/** Calls the engine's own client; what it prints, trimmed. */
export async function docker(...args: string[]): Promise<string> {
  return (await run('docker', args, { maxBuffer: 64 * 1024 * 1024 })).stdout.trim();
}

/** A node of this engine that no other test has, with all that a backend on it needs. */
export interface DockerNode extends AsyncDisposable {
  folder: string;
  options: DockerBackendOptions;
  open(overrides?: Partial<DockerBackendOptions>): Backend & AsyncDisposable;
  nextCounter(): number;
}

export async function createDockerNode(): Promise<DockerNode> {
  const folder = await mkdtemp(join(tmpdir(), 'weir-docker-'));
  const number = Buffer.from(nodeRandom.bytes(4)).readUInt32BE() >>> 2;
  const options: DockerBackendOptions = {
    socketPath: engineSocket,
    cluster: 'test',
    node: nodeId.fromCounter(number),
    macKey: nodeRandom.bytes(32),
    hashes: nodeHashes,
    clock: systemClock,
    log: silentLogger,
    network: async () => ({ networkMode: 'none' }),
    policy: defaultPolicy,
    allowedLocalPrefixes: ['weir/'],
    registries: ['docker.io', 'ghcr.io'],
    privateDir: folder,
    maxStarts: 4,
  };
  // Names of containers are one space on the engine: other tests of this run must not meet them.
  let counter = number * 256;
  return {
    folder,
    options,
    open: (overrides) => createDockerBackend({ ...options, ...overrides }),
    nextCounter: () => counter++,
    async [Symbol.asyncDispose]() {
      await removeContainersOf(options);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function removeContainersOf(options: DockerBackendOptions): Promise<void> {
  const { signal } = new AbortController();
  const backend = createDockerBackend(options);
  for (const { ref } of await backend.list(signal)) await backend.remove(ref, signal);
  await backend[Symbol.asyncDispose]();
  const left = await docker('ps', '-aq', '--filter', `label=weir.node=${options.node}`);
  if (left !== '') await docker('rm', '-fv', ...left.split('\n'));
}

/** argv of a task that does these things in the shell of the small image. */
export function shell(script: string): string[] {
  return ['/bin/sh', '-c', script];
}
