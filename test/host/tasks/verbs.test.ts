import { describe, expect, it } from 'vitest';
import { placeTasks } from '../../../src/host/reconcile/place.ts';
import { bareEnd } from '../../../src/protocol/task-end.ts';
import type { TaskView } from '../../../src/protocol/task-view.ts';
import { problemOf, smallTask, taskOf } from '../../support/calls.ts';
import { openTestContext, type TestContext } from '../../support/host-context.ts';
import { joinRunner, type WireRunner } from '../../support/runner-wire.ts';

async function submit(test: TestContext, more: Record<string, unknown> = {}): Promise<TaskView> {
  return taskOf(await test.call('POST', '/api/v1/tasks', { ...smallTask, ...more }));
}

const act = (test: TestContext, id: string, verb: string) => test.call('POST', `/api/v1/tasks/${id}/${verb}`, {});

async function runningTask(
  test: TestContext,
  more: Record<string, unknown> = {},
): Promise<{ id: string; runner: WireRunner }> {
  const runner = await joinRunner(test, { name: 'one', cpuMilli: 8000 });
  const { id } = await submit(test, more);
  await placeTasks(test.ctx);
  await runner.sync({ holdMs: 0 });
  await runner.report(id, 'running');
  return { id, runner };
}

describe('hold and release', () => {
  it('keep a queued task from starting, and let it go', async () => {
    await using test = await openTestContext();
    await joinRunner(test, { cpuMilli: 8000 });
    const { id } = await submit(test);
    expect(taskOf(await act(test, id, 'hold'))).toMatchObject({ state: 'held', reason: { code: 'held' } });
    await placeTasks(test.ctx);
    expect(taskOf(await test.call('GET', `/api/v1/tasks/${id}`)).state).toBe('held');
    await act(test, id, 'release');
    await placeTasks(test.ctx);
    expect(taskOf(await test.call('GET', `/api/v1/tasks/${id}`)).state).toBe('assigned');
    expect(problemOf(await act(test, id, 'hold'))).toMatchObject({ status: 409, code: 'state_conflict' });
  });

  it('can be asked for at submission', async () => {
    await using test = await openTestContext();
    expect(await submit(test, { hold: true })).toMatchObject({ state: 'held', reason: { code: 'held' } });
  });
});

describe('pause and resume', () => {
  it('reach the Runner, which says when it is so', async () => {
    await using test = await openTestContext();
    const { id, runner } = await runningTask(test);
    expect(taskOf(await act(test, id, 'pause')).state).toBe('running');
    await runner.sync({ holdMs: 0 });
    expect([...runner.desired.values()][0]).toMatchObject({ task: id, paused: true });
    await runner.report(id, 'paused');
    expect(taskOf(await act(test, id, 'resume')).state).toBe('paused');
    await runner.sync({ holdMs: 0 });
    expect([...runner.desired.values()][0]).toMatchObject({ paused: false });
  });
});

describe('a change of what was asked for', () => {
  it('extends the limit of a running task, and never shortens it', async () => {
    await using test = await openTestContext();
    const { id, runner } = await runningTask(test, { timeLimit: '1h' });
    expect((await test.call('PATCH', `/api/v1/tasks/${id}`, { timeLimit: '2h' })).status).toBe(202);
    await runner.sync({ holdMs: 0 });
    expect([...runner.desired.values()][0]?.spec.timeLimitMs).toBe(7_200_000);
    const shorter = await test.call('PATCH', `/api/v1/tasks/${id}`, { timeLimit: '1m' });
    expect(problemOf(shorter)).toMatchObject({ code: 'invalid_field', errors: [{ pointer: '/timeLimit' }] });
  });

  it('is all or nothing', async () => {
    await using test = await openTestContext();
    const { id } = await runningTask(test, { timeLimit: '1h' });
    // The priority of a running task cannot be changed: the limit stays too.
    expect((await test.call('PATCH', `/api/v1/tasks/${id}`, { timeLimit: '2h', priority: 'urgent' })).status).toBe(409);
    expect(taskOf(await test.call('GET', `/api/v1/tasks/${id}`)).spec['timeLimit']).toBe(3_600_000);
  });

  it('lets a queued task go ahead', async () => {
    await using test = await openTestContext();
    const { id } = await submit(test);
    expect(taskOf(await test.call('PATCH', `/api/v1/tasks/${id}`, { priority: 'urgent' })).priority).toBe('urgent');
    expect(problemOf(await test.call('PATCH', `/api/v1/tasks/${id}`, {})).status).toBe(422);
  });
});

describe('retries', () => {
  it('by itself: an attempt that failed as named is followed by another, later each time', async () => {
    await using test = await openTestContext();
    const { id, runner } = await runningTask(test, { retry: { limit: 1, on: ['exit'], backoff: '10s' } });
    const end = { ...bareEnd('exit', 'exited with code 7'), exitCode: 7 };
    await runner.report(id, 'ended', { end });
    const waiting = taskOf(await test.call('GET', `/api/v1/tasks/${id}`));
    expect(waiting).toMatchObject({
      state: 'queued',
      reason: { code: 'retry' },
      end: null,
      node: null,
      attempts: [{ attempt: 1, end: { exitCode: 7 } }],
    });
    expect(Date.parse(waiting.notBefore ?? '')).toBeGreaterThan(Date.now());
    await placeTasks(test.ctx);
    expect(taskOf(await test.call('GET', `/api/v1/tasks/${id}`)).state).toBe('queued');
  });

  it('by a person: one that ended badly is queued again, with its attempts kept', async () => {
    await using test = await openTestContext();
    const { id, runner } = await runningTask(test);
    await runner.report(id, 'ended', { end: { ...bareEnd('exit', 'exited with code 1'), exitCode: 1 } });
    expect(taskOf(await act(test, id, 'retry'))).toMatchObject({ state: 'queued', end: null, attempt: 1 });
    await placeTasks(test.ctx);
    expect(taskOf(await test.call('GET', `/api/v1/tasks/${id}`))).toMatchObject({ state: 'assigned', attempt: 2 });
    // What is still said of the first attempt changes nothing.
    expect((await runner.report(id, 'running', { attempt: 1 })).acked).toMatchObject([{ verdict: 'superseded' }]);
  });

  it('are not for what succeeded', async () => {
    await using test = await openTestContext();
    const { id, runner } = await runningTask(test, { retry: { limit: 5, on: ['exit'] } });
    await runner.report(id, 'ended');
    expect(taskOf(await test.call('GET', `/api/v1/tasks/${id}`)).state).toBe('succeeded');
    expect(problemOf(await act(test, id, 'retry'))).toMatchObject({ status: 409 });
  });
});

describe('a verb for several tasks', () => {
  it('is reported for each', async () => {
    await using test = await openTestContext();
    const { items } = (await test.call('POST', '/api/v1/tasks/batch', [smallTask, smallTask])).body as {
      items: TaskView[];
    };
    const [first, second] = items;
    if (!first || !second) throw new Error('the batch was not answered');
    await act(test, first.id, 'hold');
    const answer = await test.call('POST', '/api/v1/tasks/actions', {
      verb: 'release',
      ids: [first.id, second.id, 'nothing'],
    });
    expect(answer.body).toMatchObject({
      items: [
        { id: first.id, state: 'queued', problem: null },
        { id: second.id, problem: { code: 'state_conflict' } },
        { id: 'nothing', problem: { code: 'not_found' } },
      ],
    });
    const killed = await test.call('POST', '/api/v1/tasks/actions', { verb: 'kill', batch: first.batch });
    expect(killed.body).toMatchObject({ items: [{ state: 'killed' }, { state: 'killed' }] });
    expect((await test.call('POST', '/api/v1/tasks/actions', { verb: 'kill' })).status).toBe(422);
  });
});

describe('a start time', () => {
  it('keeps a task from starting before', async () => {
    await using test = await openTestContext();
    await joinRunner(test, { cpuMilli: 8000 });
    const later = new Date(Date.now() + 3_600_000).toISOString();
    const { id } = await submit(test, { notBefore: later });
    await placeTasks(test.ctx);
    expect(taskOf(await test.call('GET', `/api/v1/tasks/${id}`))).toMatchObject({
      state: 'queued',
      notBefore: later,
      reason: { code: 'start_time' },
    });
  });
});

describe('a dry run', () => {
  it('says what the scheduler would do and keeps nothing', async () => {
    await using test = await openTestContext();
    await joinRunner(test, { name: 'one', cpuMilli: 2000 });
    const fits = await test.call('POST', '/api/v1/tasks?dryRun=true', smallTask);
    expect(fits).toMatchObject({ status: 200, body: { startsNow: { node: 'n1' } } });
    const large = await test.call('POST', '/api/v1/tasks?dryRun=true', { ...smallTask, resources: { cpus: 64 } });
    expect(large.body).toMatchObject({ startsNow: null, explanation: { reason: { code: 'impossible' } } });
    expect((await test.call('GET', '/api/v1/tasks')).body).toMatchObject({ items: [] });
  });
});
