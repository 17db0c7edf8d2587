import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Backend } from '../../../../src/runner/backend/backend.ts';
import type { DockerNode } from '../../../support/docker.ts';
import { createDockerNode, docker, shell } from '../../../support/docker.ts';
import type { FakeRegistry } from '../../../support/fake-registry.ts';
import { createFakeRegistry } from '../../../support/fake-registry.ts';
import { startOrder } from '../../../support/workload-orders.ts';

const { signal } = new AbortController();
let node: DockerNode;
let registry: FakeRegistry;
let backend: Backend & AsyncDisposable;
let image: string;

beforeAll(async () => {
  node = await createDockerNode();
});
afterAll(() => node[Symbol.asyncDispose]());
beforeEach(async () => {
  registry = await createFakeRegistry();
  registry.add('team/tool', '1', await layerOf(`a layer of ${registry.host}`));
  image = `${registry.host}/team/tool:1`;
  backend = node.open({ registries: [registry.host] });
});
afterEach(async () => {
  await backend[Symbol.asyncDispose]();
  await registry[Symbol.asyncDispose]();
  await docker('rmi', '-f', image).catch(() => undefined);
});

async function layerOf(text: string): Promise<Buffer> {
  const folder = await mkdtemp(join(tmpdir(), 'weir-layer-'));
  await writeFile(join(folder, 'hello'), text);
  await promisify(execFile)('tar', ['-C', folder, '-cf', join(folder, 'layer.tar'), 'hello']);
  const layer = await readFile(join(folder, 'layer.tar'));
  await rm(folder, { recursive: true });
  return layer;
}

function layersAsked(): number {
  return registry.requests.filter((line) => line.startsWith('GET') && line.includes('/blobs/')).length;
}

describe('a pull', () => {
  it('brings the image with progress, and the next one is over at once', async () => {
    const texts: string[] = [];
    await backend.pull(image, (text) => texts.push(text), signal);
    expect(texts.at(-1)).toMatch(/^1 of 1 layers/);
    const asked = registry.requests.length;
    await backend.pull(image, () => expect.fail('there was nothing to pull'), signal);
    expect(registry.requests).toHaveLength(asked);
  });

  it('is one for all who ask at the same time, and outlives one that leaves', async () => {
    const release = registry.hold();
    const stop = new AbortController();
    const leaving = backend.pull(image, () => undefined, stop.signal);
    const staying = backend.pull(image, () => undefined, signal);
    await expect.poll(layersAsked, { timeout: 10_000 }).toBe(2);
    stop.abort(new Error('left'));
    await expect(leaving).rejects.toThrow('left');
    release();
    await staying;
    expect(layersAsked()).toBe(2);
  });

  it('is given up when the last one leaves, and can be begun anew', async () => {
    const release = registry.hold();
    const stop = new AbortController();
    const leaving = backend.pull(image, () => undefined, stop.signal);
    await expect.poll(layersAsked, { timeout: 10_000 }).toBe(2);
    stop.abort(new Error('left'));
    await expect(leaving).rejects.toThrow('left');
    release();
    await backend.pull(image, () => undefined, signal);
    await expect(docker('image', 'inspect', image)).resolves.toContain('sha256');
  });

  it.each(['team/tool:2', 'team/nothing:1'])('of %s, which is not there, is image_not_found', async (name) => {
    const missing = `${registry.host}/${name}`;
    await expect(backend.pull(missing, () => undefined, signal)).rejects.toMatchObject({
      code: 'image_not_found',
      message: expect.stringContaining(missing),
    });
  });

  it('from a registry where nothing answers is image_pull_failed', async () => {
    await registry[Symbol.asyncDispose]();
    await expect(backend.pull(image, () => undefined, signal)).rejects.toMatchObject({
      code: 'image_pull_failed',
      message: expect.stringContaining('nothing answers at the registry'),
    });
    registry = await createFakeRegistry();
  });

  it('whose bytes are not what the manifest says is image_pull_failed', async () => {
    const layer = await layerOf('whole');
    registry.add('team/broken', '1', layer);
    layer.fill(0x2a);
    const broken = `${registry.host}/team/broken:1`;
    await expect(backend.pull(broken, () => undefined, signal)).rejects.toMatchObject({
      code: 'image_pull_failed',
    });
  });
});

it('what a colleague tagged with the name of a registry is not used', async () => {
  const forged = `${registry.host}/team/forged:1`;
  await docker('tag', 'weir/demo:1', forged);
  try {
    const order = startOrder(node.nextCounter(), { image: forged, argv: shell('true') });
    await expect(backend.start(order, signal)).rejects.toMatchObject({
      code: 'image_not_found',
      message: expect.stringContaining('somebody made on this node'),
    });
  } finally {
    await docker('rmi', forged);
  }
});
