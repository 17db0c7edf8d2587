import { createServer, type ServerResponse } from 'node:http';
import { describe, expect, it } from 'vitest';
import { problemOf, smallTask, taskOf, type Call } from '../support/calls.ts';
import { joinRunner, type WireRunner } from '../support/runner-wire.ts';
import type { TargetOf } from './target.ts';

/** Syncs until it is told of the task. The test's own time limit ends it. */
async function untilAssigned(runner: WireRunner, task: string): Promise<void> {
  while (!runner.desired.has(task)) {
    await runner.sync({ holdMs: 500 });
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

async function submit(call: Call, node: string): Promise<string> {
  return taskOf(await call('POST', '/api/v1/tasks', { ...smallTask, placement: { node } })).id;
}

export function runnerSuite(target: TargetOf): void {
  describe('Runners', () => {
    it('join, are given work, and what they report is seen by who waits for it', async () => {
      const { call } = target();
      const runner = await joinRunner({ call }, { name: 'worker' });
      const task = await submit(call, 'worker');
      await untilAssigned(runner, task);
      const ended = call('GET', `/api/v1/tasks/${task}/wait?timeout=20s`);
      await runner.report(task, 'running');
      expect(taskOf(await call('GET', `/api/v1/tasks/${task}`))).toMatchObject({
        state: 'running',
        nodeName: 'worker',
        attempt: 1,
      });
      await runner.report(task, 'ended');
      expect(taskOf(await ended)).toMatchObject({
        state: 'succeeded',
        end: { cause: 'exit', exitCode: 0 },
      });
    });

    it('are refused when a request is sent a second time or was changed', async () => {
      const { call } = target();
      const runner = await joinRunner({ call }, { name: 'replayed' });
      const { status } = await runner.send({}, { seq: 50 });
      expect(status).toBe(200);
      const again = await runner.send({}, { seq: 50 });
      expect([again.status, problemOf(again).code]).toEqual([401, 'replayed']);
      const changed = await runner.send({}, { body: '{}' });
      expect([changed.status, problemOf(changed).code]).toEqual([401, 'unauthenticated']);
      const proof = await runner.proof();
      await runner.beginSession(proof);
      await expect(runner.beginSession(proof)).rejects.toMatchObject({ answer: { status: 401 } });
    });

    it('are gone at once when they are removed', async () => {
      const { call } = target();
      const runner = await joinRunner({ call }, { name: 'removed' });
      expect((await call('DELETE', '/api/v1/nodes/removed')).status).toBe(204);
      expect((await runner.send()).status).toBe(401);
      expect(problemOf(await call('GET', '/api/v1/nodes/removed')).code).toBe('not_found');
    });

    it('have the logs, which are relayed as they come, or another Host is named that can', async () => {
      const { call, dials, url, token } = target();
      await using log = await serveLog();
      const runner = await joinRunner({ call }, { name: 'logger' });
      const task = await submit(call, 'logger');
      await untilAssigned(runner, task);
      await runner.report(task, 'running');
      await runner.sync({ addresses: { api: log.address, data: null } });
      const answer = await fetch(`${url}/api/v1/tasks/${task}/logs?follow=true`, {
        headers: { authorization: `Bearer ${token}` },
      });
      if (!dials) {
        expect(await answer.json()).toMatchObject({
          code: 'node_unreachable',
          status: 503,
          fix: expect.stringContaining('as a process'),
        });
        return;
      }
      expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'text/plain; charset=utf-8']);
      const body = answer.body?.getReader();
      const read = async (): Promise<string> => new TextDecoder().decode((await body?.read())?.value);
      expect(await read()).toBe('first\n');
      // The second is written only now: what came first was not held back.
      log.write('second\n');
      expect(await read()).toBe('second\n');
      await body?.cancel();
    });
  });
}

/** A Runner's API that answers one log: its first line at once, the rest when told. */
async function serveLog(): Promise<AsyncDisposable & { address: string; write(text: string): void }> {
  const open = new Set<ServerResponse>();
  const server = createServer((_request, response) => {
    open.add(response);
    response.writeHead(200, { 'content-type': 'text/plain' });
    response.write('first\n');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const bound = server.address();
  if (bound === null || typeof bound === 'string') throw new Error('no port was bound');
  return {
    address: `127.0.0.1:${bound.port}`,
    write: (text) => open.forEach((response) => response.write(text)),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
