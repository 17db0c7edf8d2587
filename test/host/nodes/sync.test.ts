import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { eq } from 'drizzle-orm';
import { placeTasks } from '../../../src/host/reconcile/place.ts';
import { attempts, events, nodes, tasks } from '../../../src/host/store/schema.ts';
import type { TaskView } from '../../../src/protocol/task-view.ts';
import { problemOf, smallTask, taskOf } from '../../support/calls.ts';
import { openTestContext, type TestContext } from '../../support/host-context.ts';
import { createManualClock, type ManualClock } from '../../support/manual-clock.ts';
import { exited, joinRunner, type WireRunner } from '../../support/runner-wire.ts';

let clock: ManualClock;
let test: TestContext;
let runner: WireRunner;
beforeEach(async () => {
  clock = createManualClock();
  test = await openTestContext({ clock });
  runner = await joinRunner(wire());
});
afterEach(() => test[Symbol.asyncDispose]());

const wire = () => ({ call: test.call, now: clock.now });
const submit = async (more: Record<string, unknown> = {}): Promise<TaskView> =>
  taskOf(await test.call('POST', '/api/v1/tasks', { ...smallTask, ...more }));
const show = async (ref: string): Promise<TaskView> => taskOf(await test.call('GET', `/api/v1/tasks/${ref}`));

async function assigned(on: WireRunner = runner): Promise<string> {
  const { id } = await submit({ placement: { node: on.node } });
  await placeTasks(test.ctx);
  await on.sync();
  expect(on.desired.has(id)).toBe(true);
  return id;
}

/** All that is stored of tasks, as it is. */
async function rows(): Promise<unknown> {
  return {
    tasks: await test.ctx.db.select().from(tasks),
    attempts: await test.ctx.db.select().from(attempts),
    events: (await test.ctx.db.select().from(events)).length,
  };
}

describe('what is desired', () => {
  it('comes whole whenever the generation has moved past the applied one, and only then', async () => {
    const first = await assigned();
    expect((await runner.sync()).desired).toBeUndefined();
    const { id } = await submit();
    await placeTasks(test.ctx);
    const answer = await runner.sync();
    expect(answer.desired?.tasks.map((one) => one.task)).toEqual([first, id]);
    expect((await runner.sync({ appliedGeneration: 0 })).desired?.tasks.length).toBe(2);
    expect((await runner.sync()).desired).toBeUndefined();
  });

  it('has generations that only grow', async () => {
    const seen: number[] = [];
    for (let turn = 0; turn < 3; turn += 1) {
      const id = await assigned();
      seen.push(runner.desired.get(id)?.generation ?? 0);
      await test.call('POST', `/api/v1/tasks/${id}/kill`, {});
      const stopped = await runner.sync();
      seen.push(stopped.generation);
      expect(runner.desired.get(id)?.generation).toBe(stopped.generation);
      seen.push((await runner.report(id, 'ended')).generation);
    }
    expect(seen).toEqual(seen.toSorted((a, b) => a - b));
    expect(new Set(seen).size).toBe(seen.length);
  });

  it('comes whole to a Runner of another epoch', async () => {
    const id = await assigned();
    const answer = await runner.sync({ epoch: runner.enrolled.epoch - 1 });
    expect(answer.desired?.tasks.map((one) => one.task)).toEqual([id]);
    expect(answer.epoch).toBe(runner.enrolled.epoch);
  });

  it('says of each attempt whether the Host has seen it there', async () => {
    const id = await assigned();
    await runner.report(id, 'pulling');
    await runner.sync({ appliedGeneration: 0 });
    expect(runner.desired.get(id)?.seen).toBe(true);
  });
});

describe('a report', () => {
  it('moves the task, in one event each', async () => {
    const id = await assigned();
    for (const state of ['pulling', 'starting', 'running', 'paused', 'running'] as const) {
      expect((await runner.report(id, state)).acked).toEqual([{ task: id, attempt: 1, state, verdict: 'kept' }]);
      expect((await show(id)).state).toBe(state);
    }
    await runner.report(id, 'ended', { end: exited(3) });
    expect(await show(id)).toMatchObject({ state: 'failed', end: { cause: 'exit', exitCode: 3 }, reason: null });
    const types = (await test.ctx.db.select().from(events).where(eq(events.subject, id))).map((event) => event.type);
    expect(types).toEqual([
      'task.queued',
      'task.assigned',
      'task.pulling',
      'task.starting',
      'task.running',
      'task.paused',
      'task.running',
      'task.failed',
    ]);
  });

  it('shows progress as the reason', async () => {
    const id = await assigned();
    await runner.report(id, 'pulling', { progress: '3 of 5 layers' });
    expect((await show(id)).reason).toMatchObject({ code: 'pulling', message: '3 of 5 layers' });
    const { rev } = await show(id);
    await runner.report(id, 'pulling', { progress: '3 of 5 layers' });
    expect((await show(id)).rev).toBe(rev);
  });

  it('of an end is durable before the answer, and the same when sent again', async () => {
    const id = await assigned();
    const seen = runner.observation(id, 'ended', { end: exited(7) });
    const answer = await runner.sync({ changes: [seen] });
    expect(answer.acked).toEqual([{ task: id, attempt: 1, state: 'ended', verdict: 'kept' }]);
    expect(answer.desired?.tasks).toEqual([]);
    const before = await rows();
    const again = await runner.sync({ changes: [{ ...seen, end: exited(0) }, seen] });
    expect(again.acked.map((ack) => ack.verdict)).toEqual(['kept', 'kept']);
    expect(await rows()).toEqual(before);
  });

  it.each(['an attempt of another node', 'a later attempt', 'an unknown task'])(
    'of %s changes nothing and is told so',
    async (what) => {
      const other = await joinRunner(wire(), { name: 'other' });
      const id = await assigned(other);
      const before = await rows();
      const seen = runner.observation(what === 'an unknown task' ? 't99' : id, 'ended', {
        attempt: what === 'a later attempt' ? 2 : 1,
      });
      expect((await runner.sync({ changes: [seen] })).acked[0]?.verdict).toBe('unknown');
      expect(await rows()).toEqual(before);
    },
  );

  it('of an attempt that has ended says to stop it', async () => {
    const id = await assigned();
    await runner.report(id, 'ended');
    const before = await rows();
    const answer = await runner.sync({ changes: [runner.observation(id, 'running')] });
    expect(answer.acked[0]?.verdict).toBe('superseded');
    expect(await rows()).toEqual(before);
  });

  it('of an older state than the known does not turn it back', async () => {
    const id = await assigned();
    await runner.report(id, 'running');
    await runner.sync({ changes: [runner.observation(id, 'pulling')] });
    expect(await show(id)).toMatchObject({ state: 'running', attempts: [{ state: 'running' }] });
  });

  it('of a start and an end keeps them between the assignment and now', async () => {
    const id = await assigned();
    const assignedAt = (await show(id)).attempts?.[0]?.assignedAt;
    await clock.advance(1000);
    await runner.report(id, 'running', { startedAt: 1 });
    expect((await show(id)).startedAt).toBe(assignedAt);
    await runner.report(id, 'ended', { at: clock.now() + 3_600_000, startedAt: 1 });
    expect((await show(id)).endedAt).toBe(new Date(clock.now()).toISOString());
  });

  it('that a task is stuck is shown and taken back', async () => {
    const id = await assigned();
    await runner.report(id, 'running');
    await test.call('POST', `/api/v1/tasks/${id}/kill`, {});
    await runner.report(id, 'stopping', { stuck: true });
    expect(await show(id)).toMatchObject({ state: 'stopping', stuck: true, reason: { code: 'stuck' } });
    await runner.report(id, 'ended', { end: exited(0) });
    expect(await show(id)).toMatchObject({ stuck: false, reason: null });
  });

  it.each([
    ['an end without its end', { end: null }],
    ['an end that only the Host may say', { end: { ...exited(0), cause: 'dependency_failed' as const } }],
  ])('of %s is refused, and the others of the request with it', async (_what, more) => {
    const id = await assigned();
    const other = await assigned();
    const before = await rows();
    const changes = [runner.observation(other, 'running'), runner.observation(id, 'ended', more)];
    expect(problemOf(await runner.send({ changes })).code).toBe('invalid_field');
    expect(await rows()).toEqual(before);
  });
});

describe('the digest', () => {
  it('that differs asks for everything, and a full report settles it', async () => {
    const id = await assigned();
    await runner.report(id, 'running');
    expect((await runner.sync()).wantFull).toBe(false);
    expect((await runner.sync({ digest: 'another' })).wantFull).toBe(true);
    const full = await runner.sync({ full: true, changes: [...runner.observed.values()] });
    expect(full.wantFull).toBe(false);
    expect((await runner.sync()).wantFull).toBe(false);
  });

  it('is compared also when nothing changed for this process', async () => {
    expect((await runner.sync()).wantFull).toBe(false);
    await assigned();
    expect((await runner.sync()).wantFull).toBe(false);
    const id = [...runner.desired.keys()][0] ?? '';
    runner.observed.set(id, runner.observation(id, 'running'));
    expect((await runner.sync()).wantFull).toBe(true);
  });
});

describe('the node', () => {
  it('shows what its Runner told, and tells of a change once', async () => {
    const view = async () => (await test.call('GET', `/api/v1/nodes/${runner.node}`)).body;
    expect(await view()).toMatchObject({
      state: 'ready',
      capacity: { cpus: 8, gpus: 0 },
      allocated: { cpus: 0 },
      version: '0.0.0-test',
    });
    const before = (await test.ctx.db.select().from(events)).length;
    await runner.sync({ capacity: runner.capacity });
    expect((await test.ctx.db.select().from(events)).length).toBe(before);
    const { hardware } = runner.capacity;
    await runner.sync({ capacity: { ...runner.capacity, hardware: { ...hardware, cpuMilli: 16_000 } } });
    expect(await view()).toMatchObject({ capacity: { cpus: 16 } });
    expect((await test.ctx.db.select().from(events)).at(-1)).toMatchObject({
      type: 'node.updated',
      data: { capacity: { cpus: 16 } },
    });
  });

  it('counts what is promised to work until it has ended', async () => {
    const id = await assigned();
    const view = async () => (await test.call('GET', `/api/v1/nodes/${runner.node}`)).body;
    expect(await view()).toMatchObject({ allocated: { cpus: 0.5, memory: 67_108_864 }, tasks: 1 });
    await runner.report(id, 'ended');
    expect(await view()).toMatchObject({ allocated: { cpus: 0, memory: 0 }, tasks: 0 });
  });

  it.each(['suspect', 'unreachable'] as const)('that is %s is ready again by a contact', async (state) => {
    await test.ctx.db.update(nodes).set({ state });
    await runner.sync();
    expect((await test.call('GET', `/api/v1/nodes/${runner.node}`)).body).toMatchObject({ state: 'ready' });
  });
});
