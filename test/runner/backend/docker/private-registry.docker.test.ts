import { execFile } from 'node:child_process';
import { createServer, request as httpRequest } from 'node:http';
import type { AddressInfo } from 'node:net';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { registryCredentials } from '../../../../src/runner/registry-credentials.ts';
import { scratchFolder } from '../../../lib/node/scratch-folder.ts';
import { createDockerNode, docker, type DockerNode } from '../../../support/docker.ts';
import { createFakeRegistry, type FakeRegistry } from '../../../support/fake-registry.ts';

const { signal } = new AbortController();
const wanted = `Basic ${Buffer.from('ann:canary').toString('base64')}`;
let node: DockerNode;
let registry: FakeRegistry;
let door: { host: string; close(): void };

beforeAll(async () => {
  node = await createDockerNode();
});
afterAll(() => node[Symbol.asyncDispose]());
beforeEach(async () => {
  registry = await createFakeRegistry();
  door = await guarded(registry.host);
});
afterEach(async () => {
  door.close();
  await registry[Symbol.asyncDispose]();
});

/** A registry that answers only to whoever shows the password. */
async function guarded(behind: string): Promise<typeof door> {
  const server = createServer((incoming, outgoing) => {
    if (incoming.headers.authorization !== wanted) {
      outgoing.writeHead(401, { 'www-authenticate': 'Basic realm="private"' }).end();
      return;
    }
    const forward = httpRequest(`http://${behind}${incoming.url}`, { method: incoming.method }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 500, answer.headers);
      answer.pipe(outgoing);
    });
    forward.end();
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const close = (): void => {
    server.closeAllConnections();
    server.close();
  };
  return { host: `localhost:${(server.address() as AddressInfo).port}`, close };
}

async function layer(): Promise<Buffer> {
  const folder = scratchFolder();
  await writeFile(join(folder, 'hello'), door.host);
  await promisify(execFile)('tar', ['-C', folder, '-cf', join(folder, 'layer.tar'), 'hello']);
  return readFile(join(folder, 'layer.tar'));
}

describe('an image of a registry that asks for a password', () => {
  it('is pulled with the credential of the node, and not without', async () => {
    registry.add('team/tool', '1', await layer());
    const image = `${door.host}/team/tool:1`;
    const file = join(scratchFolder(), 'auths.json');
    const open = (path: string | null) => node.open({ registries: [door.host], credential: registryCredentials(path) });
    await using without = open(null);
    const refusal: unknown = await without.pull(image, () => undefined, signal).catch((error: unknown) => error);
    expect(String(refusal)).toMatch(/credential/);
    await writeFile(
      file,
      JSON.stringify({
        auths: { [door.host]: { auth: Buffer.from('ann:wrong').toString('base64') } },
      }),
    );
    await using backend = open(file);
    await using broken = open(`${file}.absent`);
    await expect(broken.pull(image, () => undefined, signal)).rejects.toThrow(/could not be pulled: ENOENT.*absent/);
    await expect(backend.pull(image, () => undefined, signal)).rejects.toThrow(/credential/);
    await writeFile(
      file,
      JSON.stringify({
        auths: { [door.host]: { auth: Buffer.from('ann:canary').toString('base64') } },
      }),
    );
    await backend.pull(image, () => undefined, signal);
    expect(await docker('image', 'inspect', '--format', '{{index .RepoTags 0}}', image)).toBe(image);
    await docker('rmi', '-f', image);
  });
});
