import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Backend } from '../../../../src/runner/backend/backend.ts';
import { containerName } from '../../../../src/runner/backend/docker/identity.ts';
import type { DockerNode } from '../../../support/docker.ts';
import { createDockerNode, demoImage, docker, shell } from '../../../support/docker.ts';
import { startOrder } from '../../../support/workload-orders.ts';

const { signal } = new AbortController();
const trap = 'weir/test-trap:1';
const snapshot = 'weir/test-snapshot:1';
const mine = 'somebody-s-own-image:1';
let node: DockerNode;
let backend: Backend & AsyncDisposable;

beforeAll(async () => {
  node = await createDockerNode();
  backend = node.open();
});
afterAll(async () => {
  await backend[Symbol.asyncDispose]();
  await node[Symbol.asyncDispose]();
  await docker('rmi', '-f', trap, snapshot, mine);
});

/** A container made by hand from the small image, committed with changes: an image of somebody's own. */
async function commit(tag: string, ...changes: string[]): Promise<void> {
  const id = await docker('create', demoImage);
  await docker('commit', ...changes.flatMap((change) => ['--change', change]), id, tag);
  await docker('rm', id);
}

describe('containers that are not ours', () => {
  it('are neither listed nor touched, whatever their labels say', async () => {
    const order = startOrder(node.nextCounter(), { image: demoImage, argv: shell('sleep 86400') });
    await backend.start(order, signal);
    const labels = JSON.parse(
      await docker('inspect', '--format', '{{json .Config.Labels}}', containerName(order.ref)),
    ) as Record<string, string>;
    const copied = Object.entries(labels).flatMap(([key, value]) => ['--label', `${key}=${value}`]);
    const other = await docker('run', '-d', '--network', 'none', ...copied, demoImage, 'sleep', '86400');
    const next = { ...order.ref, attempt: 2 };
    const named = ['--name', containerName(next), '--label', 'weir.attempt=2'];
    const third = await docker('run', '-d', '--network', 'none', ...copied, ...named, demoImage, 'sleep', '86400');
    try {
      expect((await backend.list(signal)).map((one) => one.ref)).toEqual([order.ref]);
      expect(await backend.end(next, signal)).toBe('absent');
      await backend.kill(next, 'SIGKILL', signal);
      await backend.remove(next, signal);
      await backend.remove(order.ref, signal);
      const running = await docker('inspect', '--format', '{{.State.Running}}', other, third);
      expect(running.split('\n')).toEqual(['true', 'true']);
      await expect(backend.start({ ...order, ref: next }, signal)).rejects.toMatchObject({
        code: 'start_failed',
        message: expect.stringContaining("that is not Weir's"),
      });
    } finally {
      await docker('rm', '-f', other, third);
    }
  });

  it('are also those of a snapshot of a task of ours', async () => {
    const order = startOrder(node.nextCounter(), { image: demoImage, argv: shell('sleep 86400') });
    await backend.start(order, signal);
    await docker('commit', containerName(order.ref), snapshot);
    await backend.remove(order.ref, signal);
    const id = await docker('run', '-d', '--network', 'none', snapshot);
    try {
      expect(await docker('inspect', '--format', '{{index .Config.Labels "weir.id"}}', id)).toBe(order.ref.task);
      expect(await backend.list(signal)).toEqual([]);
    } finally {
      await docker('rm', '-f', id);
    }
  });

  it('are those of another node and of another key on the same engine', async () => {
    const order = startOrder(node.nextCounter(), { image: demoImage, argv: shell('sleep 86400') });
    await backend.start(order, signal);
    const otherKey = node.open({ macKey: new Uint8Array(32) });
    const otherCluster = node.open({ cluster: 'another' });
    expect(await otherKey.list(signal)).toEqual([]);
    expect(await otherCluster.end(order.ref, signal)).toBe('absent');
    await otherKey[Symbol.asyncDispose]();
    await otherCluster[Symbol.asyncDispose]();
    await backend.remove(order.ref, signal);
  });
});

describe('an image', () => {
  it('cannot bring labels of ours, helpers of the loader, devices, health checks or lasting volumes', async () => {
    await commit(
      trap,
      'LABEL weir.id=t1 weir.owner=eve',
      'ENV LD_PRELOAD=/evil.so LD_AUDIT=/evil.so NVIDIA_VISIBLE_DEVICES=all NVIDIA_IMEX_CHANNELS=0 KEPT=yes',
      'VOLUME /data',
      'HEALTHCHECK --interval=1s CMD exit 1',
    );
    const order = startOrder(node.nextCounter(), { image: trap, argv: shell('sleep 86400') });
    await backend.start(order, signal);
    const info = JSON.parse(await docker('inspect', '--format', '{{json .}}', containerName(order.ref)));
    expect(info.Config.Labels).toMatchObject({ 'weir.id': order.ref.task, 'weir.owner': 'ada' });
    const env = await docker('exec', containerName(order.ref), 'env');
    expect(env.split('\n')).toEqual(
      expect.arrayContaining([
        'LD_PRELOAD=',
        'LD_AUDIT=',
        'NVIDIA_VISIBLE_DEVICES=void',
        'NVIDIA_IMEX_CHANNELS=',
        'KEPT=yes',
      ]),
    );
    expect(info.State.Health).toBeUndefined();
    const volumes = info.Mounts.map((mount: { Name: string }) => mount.Name);
    expect(volumes).toHaveLength(1);
    await backend.remove(order.ref, signal);
    await expect(docker('volume', 'inspect', ...volumes)).rejects.toThrow(/no such volume/i);
  });

  it("that somebody made on the node is nobody else's, by name or by id", async () => {
    await commit(mine);
    const id = (await docker('inspect', '--format', '{{.Id}}', mine)).replace('sha256:', '');
    for (const image of [mine, id.slice(0, 12), `weir/${id.slice(0, 12)}`]) {
      const order = startOrder(node.nextCounter(), { image, argv: shell('true') });
      await expect(backend.start(order, signal)).rejects.toMatchObject({ code: 'image_not_found' });
    }
  });

  it('of a registry that the node does not use is refused before anybody is asked', async () => {
    for (const image of ['evil.example/x:1', '127.0.0.1:5000/x:1', 'localhost:1/x:1']) {
      await expect(backend.pull(image, () => undefined, signal)).rejects.toMatchObject({
        code: 'image_not_found',
        message: expect.stringContaining(image),
      });
    }
  });
});
