import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { placeTasks } from '../../../src/host/reconcile/place.ts';
import { bareEnd } from '../../../src/protocol/task-end.ts';
import type { TaskView } from '../../../src/protocol/task-view.ts';
import { problemOf, smallTask, taskOf } from '../../support/calls.ts';
import { openTestContext, type TestContext } from '../../support/host-context.ts';
import { createManualClock, settled, type ManualClock } from '../../support/manual-clock.ts';
import { joinRunner } from '../../support/runner-wire.ts';

let clock: ManualClock;
let test: TestContext;
beforeEach(async () => {
  clock = createManualClock();
  test = await openTestContext({ clock });
});
afterEach(() => test[Symbol.asyncDispose]());

const submit = async (): Promise<TaskView> => taskOf(await test.call('POST', '/api/v1/tasks', smallTask));
const kill = (ref: string, body: unknown = {}) => test.call('POST', `/api/v1/tasks/${ref}/kill`, body);
const show = async (ref: string): Promise<TaskView> => taskOf(await test.call('GET', `/api/v1/tasks/${ref}`));
const wire = () => ({ call: test.call, now: clock.now });

describe('kill', () => {
  it('of a queued task ends it at once and for good', async () => {
    const { id } = await submit();
    const answer = await kill(id, { message: 'no longer needed' });
    expect(answer.status).toBe(202);
    expect(taskOf(answer)).toMatchObject({
      state: 'killed',
      end: { cause: 'killed_by', message: 'killed by admin: no longer needed' },
    });
    await joinRunner(wire());
    await placeTasks(test.ctx);
    expect((await show(id)).state).toBe('killed');
  });

  it('of an assigned task is never answered by a success of it', async () => {
    const runner = await joinRunner(wire());
    const { id } = await submit();
    await placeTasks(test.ctx);
    expect(taskOf(await kill(id)).state).toBe('stopping');
    await runner.sync();
    expect(runner.desired.get(id)?.stop).toMatchObject({ cause: 'killed_by', kill: false });
    await runner.report(id, 'running');
    expect((await show(id)).state).toBe('stopping');
    await runner.report(id, 'ended', { end: bareEnd('killed_by', 'it never started') });
    expect(await show(id)).toMatchObject({ state: 'killed', end: { cause: 'killed_by' } });
  });

  it('of a task that has ended is refused with its end', async () => {
    const runner = await joinRunner(wire());
    const { id } = await submit();
    await placeTasks(test.ctx);
    await runner.sync();
    await runner.report(id, 'ended');
    const before = await show(id);
    const problem = problemOf(await kill(id));
    expect(problem).toMatchObject({ status: 409, code: 'state_conflict' });
    expect(problem.detail).toContain('succeeded');
    expect(problem.detail).toContain('it exited with code 0');
    expect(await show(id)).toEqual(before);
  });

  it('twice is one stop, and the second may be by force', async () => {
    const runner = await joinRunner(wire());
    const { id } = await submit();
    await placeTasks(test.ctx);
    await kill(id);
    expect((await kill(id, { force: true })).status).toBe(202);
    await runner.sync();
    expect(runner.desired.get(id)?.stop?.kill).toBe(true);
  });

  it('by force is not taken back by a later one without', async () => {
    const runner = await joinRunner(wire());
    const { id } = await submit();
    await placeTasks(test.ctx);
    await kill(id, { force: true });
    await kill(id);
    await runner.sync();
    expect(runner.desired.get(id)?.stop?.kill).toBe(true);
  });

  it('of a task that is not there says so', async () => {
    expect(problemOf(await kill('t99')).code).toBe('not_found');
  });
});

describe('wait', () => {
  const wait = (ref: string, timeout: string) => test.call('GET', `/api/v1/tasks/${ref}/wait?timeout=${timeout}`);

  it('answers when the task ends', async () => {
    const { id } = await submit();
    const waiting = wait(id, '60s');
    await settled();
    await kill(id);
    expect(taskOf(await waiting).state).toBe('killed');
  });

  it('answers at once when it has ended', async () => {
    const { id } = await submit();
    await kill(id);
    expect(taskOf(await wait(id, '10m')).state).toBe('killed');
  });

  it('that runs out answers the task as it is', async () => {
    const { id } = await submit();
    const waiting = wait(id, '60s');
    await clock.advance(59_999);
    let answered = false;
    void waiting.then(() => (answered = true));
    await settled();
    expect(answered).toBe(false);
    await clock.advance(1);
    const answer = await waiting;
    expect([answer.status, taskOf(answer).state]).toEqual([200, 'queued']);
  });

  it('of no time answers at once', async () => {
    const { id } = await submit();
    const waiting = wait(id, '0s');
    await clock.advance(0);
    expect((await waiting).status).toBe(200);
  });

  it('of a task that is not there says so', async () => {
    expect(problemOf(await wait('t99', '1s')).code).toBe('not_found');
  });

  it('ends with the Host', async () => {
    const { id } = await submit();
    const waiting = wait(id, '60s');
    await settled();
    test.stop();
    expect(taskOf(await waiting).state).toBe('queued');
  });
});
