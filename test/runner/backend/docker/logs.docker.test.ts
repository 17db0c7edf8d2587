import { stat } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Backend, LogChunk, StartOrder } from '../../../../src/runner/backend/backend.ts';
import { findContainer } from '../../../../src/runner/backend/docker/container.ts';
import { followLogs, isFollowPosition } from '../../../../src/runner/backend/docker/log-follow.ts';
import type { DockerParts } from '../../../../src/runner/backend/docker/parts.ts';
import { createParts } from '../../../../src/runner/backend/docker/parts.ts';
import { collect, text } from '../../../contract/log-chunks.ts';
import type { DockerNode } from '../../../support/docker.ts';
import { createDockerNode, demoImage, shell } from '../../../support/docker.ts';
import { startOrder } from '../../../support/workload-orders.ts';

const { signal } = new AbortController();
let node: DockerNode;
let backend: Backend & AsyncDisposable;
let parts: DockerParts;
let close: () => void;

beforeAll(async () => {
  node = await createDockerNode();
  backend = node.open();
  const made = createParts(node.options);
  parts = made.parts;
  close = made.client.close;
});
afterAll(async () => {
  close();
  await backend[Symbol.asyncDispose]();
  await node[Symbol.asyncDispose]();
});

async function start(script: string): Promise<StartOrder> {
  const order = startOrder(node.nextCounter(), {
    image: demoImage,
    argv: shell(script),
    cpuMilli: 2000,
  });
  await backend.start(order, signal);
  return order;
}

describe('the tail of the file', () => {
  it('is whole for much output in long lines, and goes on from the middle', async () => {
    const { ref } = await start('seq 1 30000; head -c 100000 /dev/zero | tr "\\0" x; echo; echo end');
    const chunks = await collect(backend.logs(ref, null, signal));
    const wanted = `${Array.from({ length: 30_000 }, (_, at) => at + 1).join('\n')}\n${'x'.repeat(100_000)}\nend\n`;
    expect(text(chunks)).toBe(wanted);
    const middle = Math.floor(chunks.length / 2);
    const rest = await collect(backend.logs(ref, chunks[middle]?.position ?? null, signal));
    expect(text(chunks.slice(0, middle + 1)) + text(rest)).toBe(wanted);
  });

  it('does not hold up a task whose reader stands still', async () => {
    const { ref } = await start('seq 1 200000');
    const reader = backend.logs(ref, null, signal)[Symbol.asyncIterator]();
    await reader.next();
    await expect.poll(() => backend.end(ref, signal), { timeout: 20_000 }).toMatchObject({ exitCode: 0 });
    await reader.return?.();
  });
});

describe('room that was given back', () => {
  it('is the blocks of what is stored elsewhere, and what follows is read as ever', async () => {
    const order = await start(`yes ${'z'.repeat(999)} | head -c 70000000; sleep 0.1; echo the last`);
    const { ref } = order;
    const chunks = await collect(backend.logs(ref, null, signal));
    const path = (await findContainer(parts, ref, signal))?.logPath ?? '';
    const before = await stat(path);
    const early = chunks.find(({ position }) => Number(position) > 1_000_000);
    await backend.trimLogs(ref, early?.position ?? '', signal);
    expect(await stat(path)).toMatchObject({ blocks: before.blocks });
    const stored = chunks.at(-2)?.position ?? '';
    await backend.trimLogs(ref, stored, signal);
    const after = await stat(path);
    expect(after.size).toBe(before.size);
    expect(after.blocks * 512).toBeLessThan(1_000_000);
    for (const position of [stored, null]) {
      expect(text(await collect(backend.logs(ref, position, signal)))).toBe('the last\n');
    }
    await backend.remove(ref, signal);
  });
});

describe("the engine's own stream, for who may not read the file", () => {
  const follow = async (order: StartOrder, position: string | null): Promise<LogChunk[]> => {
    const container = await findContainer(parts, order.ref, signal);
    return collect(followLogs(parts, { id: container?.id ?? '', ref: order.ref, position }, signal));
  };

  it('gives the same output as the tail, and goes on behind each position', async () => {
    const order = await start('echo one; sleep 0.05; echo two >&2; sleep 0.05; seq 3 6; echo drei ✓');
    const chunks = await follow(order, null);
    expect(text(chunks)).toBe('one\ntwo\n3\n4\n5\n6\ndrei ✓\n');
    expect(chunks.map((chunk) => chunk.stream)[1]).toBe('stderr');
    const tailed = await collect(backend.logs(order.ref, null, signal));
    expect(chunks.map((chunk) => chunk.atUs)).toEqual(tailed.map((chunk) => chunk.atUs));
    for (const [at, { position }] of chunks.entries()) {
      expect(isFollowPosition(position)).toBe(true);
      expect(text(await follow(order, position))).toBe(text(chunks.slice(at + 1)));
    }
  });

  it('stops with the reason of the signal', async () => {
    const order = await start('sleep 86400');
    const container = await findContainer(parts, order.ref, signal);
    const stop = new AbortController();
    const reading = collect(
      followLogs(parts, { id: container?.id ?? '', ref: order.ref, position: null }, stop.signal),
    );
    stop.abort(new Error('enough'));
    await expect(reading).rejects.toThrow('enough');
    await backend.remove(order.ref, signal);
  });
});
