import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { StartOrder } from '../../../../src/runner/backend/backend.ts';
import { watchBackend } from '../../../contract/backend-harness.ts';
import type { DockerNode } from '../../../support/docker.ts';
import { createDockerNode, demoImage, shell } from '../../../support/docker.ts';
import type { OwnEngine } from '../../../support/own-engine.ts';
import { createOwnEngine } from '../../../support/own-engine.ts';
import { startOrder } from '../../../support/workload-orders.ts';

const { signal } = new AbortController();
let node: DockerNode;
let engine: OwnEngine;

beforeAll(async () => {
  node = await createDockerNode();
  engine = await createOwnEngine();
});
afterAll(async () => {
  await engine[Symbol.asyncDispose]();
  await node[Symbol.asyncDispose]();
});

function task(script: string): StartOrder {
  return startOrder(node.nextCounter(), { image: demoImage, argv: shell(script) });
}

describe('an engine without live restore', () => {
  it.each(['SIGTERM', 'SIGKILL'] as const)(
    'that ends by %s is told as the cause, to a Runner that watched',
    async (how) => {
      const backend = node.open({ socketPath: engine.socketPath });
      const watched = await watchBackend(backend);
      const killed = task('exec sleep 86400');
      const done = task('exit 3');
      await backend.start(killed, signal);
      await backend.start(done, signal);
      await expect.poll(() => backend.end(done.ref, signal)).toMatchObject({ exitCode: 3 });
      watched.seen.length = 0;
      await engine.stop(how);
      await expect(backend.end(killed.ref, signal)).rejects.toMatchObject({ code: 'engine_down' });
      await engine.start();
      await watched.until((event) => event.kind === 'relist');
      await expect
        .poll(() => backend.end(killed.ref, signal), { timeout: 10_000 })
        .toMatchObject({ engineRestart: true, oom: false });
      expect(await backend.end(done.ref, signal)).toMatchObject({
        exitCode: 3,
        engineRestart: false,
      });
      await watched[Symbol.asyncDispose]();
      await backend[Symbol.asyncDispose]();
    },
  );

  it('that was killed is told as the cause also to a Runner that was not there', async () => {
    const before = node.open({ socketPath: engine.socketPath });
    const killed = task('exec sleep 86400');
    await before.start(killed, signal);
    await before[Symbol.asyncDispose]();
    await engine.stop('SIGKILL');
    await engine.start();
    const after = node.open({ socketPath: engine.socketPath });
    expect(await after.end(killed.ref, signal)).toMatchObject({ engineRestart: true, oom: false });
    await after[Symbol.asyncDispose]();
  });
});
