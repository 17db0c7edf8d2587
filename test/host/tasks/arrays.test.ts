import { describe, expect, it } from 'vitest';
import { placeTasks } from '../../../src/host/reconcile/place.ts';
import { bareEnd } from '../../../src/protocol/task-end.ts';
import type { TaskView } from '../../../src/protocol/task-view.ts';
import { pageOf, problemOf, smallTask, taskOf, type Answer } from '../../support/calls.ts';
import { openTestContext, type TestContext } from '../../support/host-context.ts';
import { joinRunner } from '../../support/runner-wire.ts';

async function submit(test: TestContext, more: Record<string, unknown>): Promise<TaskView> {
  return taskOf(await test.call('POST', '/api/v1/tasks', { ...smallTask, ...more }));
}

async function show(test: TestContext, ref: string): Promise<TaskView> {
  return taskOf(await test.call('GET', `/api/v1/tasks/${ref}`));
}

const itemsIn = (answer: Answer) => pageOf(answer).items;

describe('an array', () => {
  it('is one task with members behind it, which lists leave out unless asked', async () => {
    await using test = await openTestContext();
    const array = await submit(test, { name: 'sweep', array: '0-4%2' });
    expect(array).toMatchObject({ state: 'queued', members: { queued: 5 }, array: null });
    expect(itemsIn(await test.call('GET', '/api/v1/tasks')).map((one) => one.id)).toEqual([array.id]);
    const members = itemsIn(await test.call('GET', `/api/v1/tasks?array=${array.id}`));
    expect(members.map((one) => one.id)).toEqual([4, 3, 2, 1, 0].map((index) => `${array.id}.${index}`));
    expect(await show(test, `${array.id}.3`)).toMatchObject({ name: 'sweep.3', array: { id: array.id, index: 3 } });
  });

  it('runs no more members together than was asked for, and its state follows theirs', async () => {
    await using test = await openTestContext();
    const runner = await joinRunner(test, { name: 'large', cpuMilli: 64_000 });
    const { id } = await submit(test, { array: '0-2%2', resources: { cpus: 1, memory: '16MiB' } });
    await placeTasks(test.ctx);
    await placeTasks(test.ctx);
    expect(await show(test, id)).toMatchObject({ state: 'running', members: { assigned: 2, queued: 1 } });
    expect((await show(test, `${id}.2`)).reason?.code).toBe('array_cap');
    await runner.sync({ holdMs: 0 });
    expect([...runner.desired.values()].map(({ spec }) => spec.array)).toEqual([
      { id, index: 0, size: 3 },
      { id, index: 1, size: 3 },
    ]);
    await runner.report(`${id}.0`, 'ended');
    await placeTasks(test.ctx);
    await runner.sync({ holdMs: 0 });
    await runner.report(`${id}.1`, 'ended', { end: { ...bareEnd('exit', 'exited with code 3'), exitCode: 3 } });
    await runner.report(`${id}.2`, 'ended');
    expect(await show(test, id)).toMatchObject({ state: 'failed', members: { succeeded: 2, failed: 1 } });
  });

  it('is killed as a whole', async () => {
    await using test = await openTestContext();
    const { id } = await submit(test, { array: '1-3' });
    await test.call('POST', `/api/v1/tasks/${id}.2/kill`, {});
    expect(taskOf(await test.call('POST', `/api/v1/tasks/${id}/kill`, {})).state).toBe('killed');
    expect(await show(test, id)).toMatchObject({ state: 'killed', members: { killed: 3 } });
    expect(problemOf(await test.call('POST', `/api/v1/tasks/${id}/kill`, {}))).toMatchObject({
      status: 409,
      code: 'state_conflict',
    });
  });

  it('that is too large is refused before it is expanded', async () => {
    await using test = await openTestContext();
    for (const array of ['0-4294967295', '0-10000', '0-9999,10001-10002']) {
      const answer = await test.call('POST', '/api/v1/tasks', { ...smallTask, array });
      expect(problemOf(answer)).toMatchObject({ status: 422, code: 'invalid_field', errors: [{ pointer: '/array' }] });
    }
    const batch = Array.from({ length: 3 }, () => ({ ...smallTask, array: '0-4999' }));
    expect(problemOf(await test.call('POST', '/api/v1/tasks/batch', batch))).toMatchObject({ code: 'invalid_field' });
    expect(itemsIn(await test.call('GET', '/api/v1/tasks'))).toEqual([]);
  });
});
