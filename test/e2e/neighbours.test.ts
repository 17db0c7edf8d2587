import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../src/lib/clock.ts';
import { nodeRandom } from '../../src/lib/node/hashes.ts';
import { serve } from '../../src/lib/node/server.ts';
import { loadTlsIdentity } from '../../src/lib/node/tls-identity.ts';
import { demoImage, docker } from '../support/docker.ts';
import { openLab, shellTask, type WeirLab } from '../support/weir-lab.ts';

let lab: WeirLab;

beforeEach(async () => {
  lab = await openLab();
});
afterEach(() => lab[Symbol.asyncDispose]());

describe("other people's containers", () => {
  it('are never touched, not even one that bears our labels', async () => {
    const host = await lab.host();
    const first = await lab.runner('node-a', host);
    const { id } = await host.api.submit(shellTask('sleep 600'));
    await host.api.until(id, ({ state }) => state === 'running');
    const [ours = ''] = await lab.containers();
    const labels = JSON.parse(await docker('inspect', '--format', '{{json .Config.Labels}}', ours)) as Record<
      string,
      string
    >;
    const copied = Object.entries(labels).flatMap(([key, value]) => ['--label', `${key}=${value}`]);
    const run = async (...options: string[]): Promise<string> =>
      docker('run', '-d', ...options, demoImage, 'sleep', '600');
    const strangers = [await run(), await run(...copied)];
    try {
      await first.end('SIGKILL');
      const second = await lab.runner('node-a', host);
      await host.api.post(`/tasks/${id}/kill`, { force: true });
      expect(await host.api.end(id)).toMatchObject({ state: 'killed' });
      await expect.poll(() => docker('ps', '-aq', '--filter', `name=^${ours}$`), { timeout: 10_000 }).toBe('');
      await second.end('SIGTERM');
      const states = await Promise.all(
        strangers.map((one) => docker('inspect', '--format', '{{.State.Running}}', one)),
      );
      expect(states).toEqual(['true', 'true']);
    } finally {
      await docker('rm', '-f', ...strangers);
    }
  });
});

describe('two Runners on one machine', () => {
  it("are two nodes that leave each other's work alone", async () => {
    const host = await lab.host();
    const a = await lab.runner('node-a', host);
    await lab.runner('node-b', host);
    const on = (node: string, script: string) => host.api.submit(shellTask(script, { placement: { node } }));
    const ofA = await on('node-a', 'sleep 4; exit 3');
    const ofB = await on('node-b', 'sleep 4; exit 4');
    expect((await host.api.until(ofA.id, ({ state }) => state === 'running')).nodeName).toBe('node-a');
    expect((await host.api.until(ofB.id, ({ state }) => state === 'running')).nodeName).toBe('node-b');
    await a.end('SIGKILL');
    await lab.runner('node-a', host);
    const ended = await Promise.all([ofA, ofB].map(({ id }) => host.api.end(id)));
    expect(ended.map(({ end, nodeName, attempt }) => [end?.cause, end?.exitCode, nodeName, attempt])).toEqual([
      ['exit', 3, 'node-a', 1],
      ['exit', 4, 'node-b', 1],
    ]);
  });

  it('cannot both use one data folder', async () => {
    const host = await lab.host();
    await lab.runner('node-a', host);
    const second = lab.start(['runner', '--data', join(lab.folder, 'node-a'), '--listen', '127.0.0.1:0']);
    expect(await second.ended()).not.toBe(0);
    expect(second.output()).toMatch(/in use|another process|locked/i);
  });
});

describe('a join token', () => {
  it('that was used makes no second node', async () => {
    const host = await lab.host();
    await lab.runner('node-a', host);
    const data = join(lab.folder, 'node-b');
    const token = join(lab.folder, 'node-a', 'join.token');
    const second = lab.start([
      'runner',
      '--data',
      data,
      '--host',
      host.url,
      '--join-file',
      token,
      '--listen',
      '127.0.0.1:0',
    ]);
    expect(await second.ended()).not.toBe(0);
    expect(second.output()).toMatch(/join token was used/);
    const { items } = await host.api.get<{ items: { name: string }[] }>('/nodes');
    expect(items.map(({ name }) => name)).toEqual(['node-a']);
  });

  it('may come by the environment', async () => {
    const host = await lab.host();
    const args = [
      'runner',
      '--data',
      join(lab.folder, 'node-c'),
      '--host',
      host.url,
      '--name',
      'node-c',
      '--listen',
      '127.0.0.1:0',
    ];
    const runner = lab.start(args, { WEIR_JOIN_TOKEN: await lab.joinToken(host) });
    await runner.shows(/the Runner works/);
    const { items } = await host.api.get<{ items: { name: string }[] }>('/nodes');
    expect(items.map(({ name }) => name)).toEqual(['node-c']);
  });
});

/** A server with a key of its own, which would order everything to stop: nobody may ever ask it anything. */
async function openImpostor() {
  const heard: string[] = [];
  const tls = await loadTlsIdentity(join(lab.folder, 'impostor'), {
    commonName: 'weir',
    random: nodeRandom,
    now: systemClock.now(),
  });
  const server = await serve({
    listen: { address: '127.0.0.1', port: 0 },
    tls,
    fetch: (request) => {
      heard.push(`${request.method} ${new URL(request.url).pathname}`);
      return Response.json({
        epoch: 9,
        generation: 9,
        hostTime: systemClock.now(),
        desired: { tasks: [], settings: {} },
        acked: [],
        wantFull: false,
      });
    },
  });
  return {
    heard,
    url: `https://127.0.0.1:${server.port}`,
    [Symbol.asyncDispose]: () => server.close(0),
  };
}

describe('somebody on the wire with another key', () => {
  it('gets nothing of the Runner and makes it run nothing', async () => {
    const host = await lab.host({ listen: '0.0.0.0:0' });
    expect(host.url).toMatch(/^https:/);
    expect(host.pin).not.toBeNull();
    const first = await lab.runner('node-a', host);
    await first.end('SIGTERM');
    const { id } = await host.api.submit(shellTask('echo ran'));
    await using impostor = await openImpostor();
    const deceived = await lab.runner('node-a', host, ['--host', impostor.url]);
    await deceived.shows(/pin/i);
    expect(impostor.heard).toEqual([]);
    expect(await lab.containers()).toEqual([]);
    expect((await host.api.task(id)).end).toBeNull();
    await deceived.end('SIGTERM');
    await lab.runner('node-a', host);
    expect((await host.api.end(id)).end).toMatchObject({ cause: 'exit', exitCode: 0 });
  });

  it('cannot have a machine join through it', async () => {
    const host = await lab.host({ listen: '0.0.0.0:0' });
    await using impostor = await openImpostor();
    const token = join(lab.folder, 'join.token');
    await writeFile(token, await lab.joinToken(host));
    const data = join(lab.folder, 'node-b');
    const runner = lab.start([
      'runner',
      '--data',
      data,
      '--host',
      impostor.url,
      '--join-file',
      token,
      '--listen',
      '127.0.0.1:0',
    ]);
    expect(await runner.ended()).not.toBe(0);
    expect(impostor.heard).toEqual([]);
    await rm(data, { recursive: true, force: true });
    // The token never left: it is still good for the Host that made it.
    const honest = lab.start([
      'runner',
      '--data',
      data,
      '--host',
      host.url,
      '--join-file',
      token,
      '--listen',
      '127.0.0.1:0',
    ]);
    await honest.shows(/the Runner works/);
  });
});
