import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createCall, pageOf, smallTask, type Call } from '../../../support/calls.ts';
import { testFolder } from '../../../support/database.ts';

let folder: string;
beforeEach(() => {
  folder = testFolder();
});
afterEach(() => rmSync(folder, { recursive: true }));

const script = new URL('../../../support/host-process.ts', import.meta.url).pathname;

/** Starts a Host in a process of its own and waits until it answers. */
async function start(): Promise<{ child: ChildProcess; call: Call }> {
  const child = spawn(process.execPath, ['--import', 'tsx', script, folder], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [line] = await Promise.race([
    once(child.stdout, 'data'),
    once(child, 'exit').then(([code]) => Promise.reject(new Error(`it ended with ${code}`))),
  ]);
  const url = String(line).trim();
  const endpoint = JSON.parse(readFileSync(join(folder, 'endpoint.json'), 'utf8')) as unknown;
  expect(endpoint).toEqual({ url, pid: child.pid });
  const token = readFileSync(join(folder, 'admin.token'), 'utf8').trim();
  return { child, call: createCall((path, init) => fetch(`${url}${path}`, init), token) };
}

/** Submits until the Host is gone; answers the ids that were acknowledged. */
async function submitUntilGone(call: Call, acknowledged: Set<string>): Promise<void> {
  for (;;) {
    try {
      const answer = await call('POST', '/api/v1/tasks', smallTask);
      if (answer.status === 201) acknowledged.add((answer.body as { id: string }).id);
    } catch {
      return;
    }
  }
}

async function allIds(call: Call): Promise<string[]> {
  const ids: string[] = [];
  for (let cursor: string | null = ''; cursor !== null;) {
    const page: ReturnType<typeof pageOf> = pageOf(
      await call('GET', `/api/v1/tasks?limit=1000${cursor === '' ? '' : `&cursor=${cursor}`}`),
    );
    ids.push(...page.items.map((item) => item.id));
    cursor = page.cursor;
  }
  return ids;
}

describe('a Host that is killed under load', { timeout: 60_000 }, () => {
  it('comes back with everything that it acknowledged, and gives no id twice', async () => {
    const acknowledged = new Set<string>();
    for (let life = 0; life < 2; life += 1) {
      const { child, call } = await start();
      const wanted = acknowledged.size + 60;
      const submitters = Promise.all(Array.from({ length: 8 }, () => submitUntilGone(call, acknowledged)));
      while (acknowledged.size < wanted) await call('GET', '/healthz');
      child.kill('SIGKILL');
      await submitters;
    }
    const { child, call } = await start();
    const there = await allIds(call);
    expect(new Set(there).size).toBe(there.length);
    expect(there).toEqual(expect.arrayContaining([...acknowledged]));
    child.kill('SIGTERM');
    expect(await once(child, 'exit')).toEqual([0, null]);
  });
});
