import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { placeTasks } from '../../../src/host/reconcile/place.ts';
import type { TaskView } from '../../../src/protocol/task-view.ts';
import { problemOf, smallTask, taskOf } from '../../support/calls.ts';
import { openTestContext, type TestContext } from '../../support/host-context.ts';
import { joinRunner, WireRefusal, type WireRunner } from '../../support/runner-wire.ts';

let test: TestContext;
let runner: WireRunner;
beforeEach(async () => {
  test = await openTestContext();
  runner = await joinRunner(test, { name: 'box' });
});
afterEach(() => test[Symbol.asyncDispose]());

const submit = async (): Promise<TaskView> => taskOf(await test.call('POST', '/api/v1/tasks', smallTask));
const show = async (ref: string): Promise<TaskView> => taskOf(await test.call('GET', `/api/v1/tasks/${ref}`));
const node = (path = '', method = 'GET', body?: unknown) => test.call(method, `/api/v1/nodes/box${path}`, body);

describe('drain', () => {
  it('takes no new work onto the node and lets what runs go on', async () => {
    const { id } = await submit();
    await placeTasks(test.ctx);
    await runner.sync();
    await runner.report(id, 'running');
    expect((await node('/drain', 'POST', { reason: 'new disk' })).body).toMatchObject({
      state: 'ready',
      draining: { reason: 'new disk', by: 'admin' },
    });
    const later = await submit();
    await placeTasks(test.ctx);
    expect(await show(later.id)).toMatchObject({ state: 'queued', reason: { code: 'node_not_ready' } });
    await runner.report(id, 'ended');
    expect((await show(id)).state).toBe('succeeded');
    expect((await node('/undrain', 'POST')).body).toMatchObject({ draining: null });
    await placeTasks(test.ctx);
    expect((await show(later.id)).state).toBe('assigned');
  });

  it('of a node that is not there says so', async () => {
    expect(problemOf(await test.call('POST', '/api/v1/nodes/other/drain', {})).code).toBe('not_found');
    expect(problemOf(await test.call('POST', '/api/v1/nodes/other/undrain')).code).toBe('not_found');
    expect(problemOf(await test.call('DELETE', '/api/v1/nodes/other')).code).toBe('not_found');
  });
});

describe('remove', () => {
  it('is refused while work is on the node, and nothing happens', async () => {
    const { id } = await submit();
    await placeTasks(test.ctx);
    expect(problemOf(await node('', 'DELETE'))).toMatchObject({
      code: 'state_conflict',
      detail: expect.stringContaining('1 task is on box'),
    });
    expect((await node()).status).toBe(200);
    expect((await show(id)).state).toBe('assigned');
    expect((await runner.sync()).desired?.tasks.length).toBe(1);
  });

  it('with the work given up ends it as lost, and the Runner is cut', async () => {
    const { id } = await submit();
    await placeTasks(test.ctx);
    await runner.sync();
    await runner.report(id, 'running');
    expect((await node('?lost=true', 'DELETE')).status).toBe(204);
    expect(await show(id)).toMatchObject({
      state: 'lost',
      end: { cause: 'node_lost', message: 'admin gave up box and what ran on it' },
      attempts: [{ state: 'lost' }],
    });
    await expect(runner.report(id, 'ended')).rejects.toThrow(WireRefusal);
    expect((await show(id)).state).toBe('lost');
    expect((await node()).status).toBe(404);
    const log = await test.call('GET', `/api/v1/tasks/${id}/logs`);
    expect(problemOf(log).code).toBe('gone');
  });

  it('takes it out of the list and places nothing on it', async () => {
    await node('', 'DELETE');
    const { id } = await submit();
    await placeTasks(test.ctx);
    expect(await show(id)).toMatchObject({ state: 'queued', reason: { code: 'no_nodes' } });
    expect((await test.call('GET', '/api/v1/nodes')).body).toMatchObject({ items: [], cursor: null });
  });
});
