import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { docker } from '../support/docker.ts';
import { openLab, shellTask, type WeirLab } from '../support/weir-lab.ts';

let lab: WeirLab;

beforeEach(async () => {
  lab = await openLab();
});
afterEach(() => lab[Symbol.asyncDispose]());

/** Prints its beginning once, then lines until `seconds` are over, then ends with `code`. */
function counted(seconds: number, code: number): Record<string, unknown> {
  const script = `echo begun; i=0; while [ $i -lt ${seconds * 10} ]; do i=$((i+1)); echo line $i; sleep 0.1; done; exit ${code}`;
  return shellTask(script);
}

function wholeOutput(seconds: number): string {
  const lines = Array.from({ length: seconds * 10 }, (_, at) => `line ${at + 1}\n`);
  return `begun\n${lines.join('')}`;
}

describe('a Runner that is killed by SIGKILL', () => {
  it('comes back to what runs and to what ended meanwhile: right codes, whole output, nothing twice', async () => {
    const host = await lab.host();
    const first = await lab.runner('node-a', host);
    const short = await Promise.all([4, 5].map((code) => host.api.submit(counted(2, code))));
    const long = await Promise.all([6, 7].map((code) => host.api.submit(counted(6, code))));
    for (const { id } of [...short, ...long]) await host.api.until(id, ({ state }) => state === 'running');
    await first.end('SIGKILL');
    const running = async (): Promise<number> =>
      (await docker('ps', '-q', ...nameFilters(short.map(({ id }) => id)))).length;
    await expect.poll(running, { timeout: 20_000 }).toBe(0);
    await lab.runner('node-a', host);
    const ended = await Promise.all([...short, ...long].map(({ id }) => host.api.end(id)));
    expect(ended.map(({ end }) => [end?.cause, end?.exitCode])).toEqual([4, 5, 6, 7].map((code) => ['exit', code]));
    expect(ended.map(({ attempt }) => attempt)).toEqual([1, 1, 1, 1]);
    const outputs = await Promise.all(ended.map(({ id }) => host.api.text(`/tasks/${id}/logs?follow=true`)));
    expect(outputs).toEqual([wholeOutput(2), wholeOutput(2), wholeOutput(6), wholeOutput(6)]);
    await expect.poll(() => lab.containers(), { timeout: 10_000 }).toEqual([]);
  });
});

function nameFilters(ids: readonly string[]): string[] {
  return ids.flatMap((id) => ['--filter', `name=^weir-${id}-`]);
}

describe('a Host that is killed by SIGKILL', () => {
  it('under load keeps all that it acknowledged, and every task runs once', async () => {
    const host = await lab.host();
    await lab.runner('node-a', host);
    const acknowledged: string[] = [];
    let open = true;
    const client = async (): Promise<void> => {
      for (let at = 0; open; at += 1) {
        const made = await host.api.submit(shellTask('echo once; sleep 0.3; exit 5')).catch(() => null);
        if (made === null) return;
        acknowledged.push(made.id);
      }
    };
    const clients = Promise.all([1, 2, 3].map(client));
    await expect.poll(() => acknowledged.length, { timeout: 20_000 }).toBeGreaterThanOrEqual(12);
    await host.process.end('SIGKILL');
    open = false;
    await clients;
    const again = await lab.host();
    expect(again.url).toBe(host.url);
    const ended = await Promise.all(acknowledged.map((id) => again.api.end(id)));
    expect(ended.map(({ end, attempt }) => `${end?.cause} ${end?.exitCode} ${attempt}`)).toEqual(
      acknowledged.map(() => 'exit 5 1'),
    );
    const outputs = await Promise.all(acknowledged.map((id) => again.api.text(`/tasks/${id}/logs?follow=true`)));
    expect(outputs).toEqual(acknowledged.map(() => 'once\n'));
  });
});

describe('SIGTERM', () => {
  it('ends a Runner cleanly, leaves its work alone, and the folder comes back as the same node', async () => {
    const host = await lab.host();
    const first = await lab.runner('node-a', host);
    const { id } = await host.api.submit(shellTask('echo begun; sleep 4; exit 8'));
    const before = await host.api.until(id, ({ state }) => state === 'running');
    expect(await first.end('SIGTERM')).toBe(0);
    expect(first.output()).toContain('the Runner has stopped');
    expect(await lab.containers()).toHaveLength(1);
    await lab.runner('node-a', host);
    const task = await host.api.end(id);
    expect(task).toMatchObject({ node: before.node, attempt: 1, end: { cause: 'exit', exitCode: 8 } });
    const { items } = await host.api.get<{ items: unknown[] }>('/nodes');
    expect(items).toHaveLength(1);
  });

  it('ends a Host cleanly while work goes on, and its result is kept', async () => {
    const host = await lab.host();
    await lab.runner('node-a', host);
    const { id } = await host.api.submit(shellTask('sleep 2; exit 8'));
    await host.api.until(id, ({ state }) => state === 'running');
    expect(await host.process.end('SIGTERM')).toBe(0);
    const again = await lab.host();
    expect((await again.api.end(id)).end).toMatchObject({ cause: 'exit', exitCode: 8 });
  });

  it('ends weir up, and the next one takes its work over', async () => {
    const up = await lab.up();
    const { id } = await up.api.submit(shellTask('sleep 4; exit 8'));
    await up.api.until(id, ({ state }) => state === 'running');
    expect(await up.process.end('SIGTERM')).toBe(0);
    const again = await lab.up();
    expect(await again.api.end(id)).toMatchObject({ attempt: 1, end: { cause: 'exit', exitCode: 8 } });
  });
});
