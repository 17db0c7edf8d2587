import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { StartOrder } from '../../../../src/runner/backend/backend.ts';
import { createDockerNode, demoImage, engineSocket, shell, type DockerNode } from '../../../support/docker.ts';
import { createSocketProxy } from '../../../support/socket-proxy.ts';
import { startOrder } from '../../../support/workload-orders.ts';
import { endedOf, watchBackend } from '../../../contract/backend-harness.ts';
import { collect, text } from '../../../contract/log-chunks.ts';
import { outcome } from './node-with-folders.ts';

const { signal } = new AbortController();
const most = 'x'.repeat(262_144);
let node: DockerNode;
beforeAll(async () => {
  node = await createDockerNode();
});
afterAll(() => node[Symbol.asyncDispose]());

function order(stdin: string, script: string): StartOrder {
  return startOrder(node.nextCounter(), { image: demoImage, stdin, argv: shell(script) });
}

describe('the input of a task', () => {
  it('is whole when the Runner is killed right after the start, before anybody read it', async () => {
    const given = order(most, 'sleep 2; wc -c');
    await using backend = node.open();
    await using watched = await watchBackend(backend);
    const { socketPath, cluster, macKey, privateDir } = node.options;
    const options = {
      socketPath,
      cluster,
      privateDir,
      node: node.options.node,
      macKey: Buffer.from(macKey).toString('hex'),
    };
    const file = join(node.folder, 'start.json');
    await writeFile(file, JSON.stringify({ ...options, order: given }));
    const child = spawn(process.execPath, ['--import', 'tsx', 'test/support/starting-child.ts', file], {
      stdio: ['ignore', 'inherit', 'inherit'],
    });
    expect(await once(child, 'exit')).toEqual([null, 'SIGKILL']);
    expect(await backend.end(given.ref, signal)).toBeNull();
    await watched.until(endedOf(given.ref));
    expect(text(await collect(backend.logs(given.ref, null, signal))).trim()).toBe('262144');
    await backend.remove(given.ref, signal);
  });

  it.each([
    ['short', 'once', 'cat', 'once'],
    ['long', most, 'wc -c', '262144'],
  ])('comes once when the Runner dies between create and start: %s', async (_what, stdin, script, prints) => {
    const given = order(stdin, script);
    await using proxy = await createSocketProxy(join(node.folder, 'input.sock'), engineSocket);
    await using dying = node.open({ socketPath: proxy.path });
    proxy.downAt(/^POST \/containers\/[^/]+\/start/);
    await expect(dying.start(given, signal)).rejects.toMatchObject({ code: 'engine_down' });
    await using backend = node.open();
    expect(await backend.list(signal)).toMatchObject([{ ref: given.ref, phase: 'created' }]);
    expect((await outcome(backend, given)).output.trim()).toBe(prints);
    await backend.remove(given.ref, signal);
  });

  it('keeps nobody waiting: a task that does not read it ends when it wants, and start comes back', async () => {
    await using backend = node.open();
    const { output, end } = await outcome(backend, order(`${most}${most}${most}${most}`, 'echo over; exit 3'));
    expect({ output, end }).toMatchObject({ output: 'over\n', end: { exitCode: 3 } });
  });

  it('can be closed by who reads it, and the rest is dropped', async () => {
    await using backend = node.open();
    const { output } = await outcome(backend, order(most, 'head -c 3; exec <&-; echo; sleep 0.2; echo end'));
    expect(output).toBe('xxx\nend\n');
  });
});
