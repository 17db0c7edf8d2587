import { describe, expect, it } from 'vitest';
import { placeTasks } from '../../../src/host/reconcile/place.ts';
import { requeueLost } from '../../../src/host/reconcile/requeue.ts';
import { smallTask, taskOf } from '../../support/calls.ts';
import { openTestContext, type TestContext } from '../../support/host-context.ts';
import { createManualClock } from '../../support/manual-clock.ts';
import { joinRunner } from '../../support/runner-wire.ts';

const minuteMs = 60_000;

async function runOn(test: TestContext, clock: { now(): number }, more: Record<string, unknown>) {
  const runner = await joinRunner({ call: test.call, now: () => clock.now() }, { name: 'one', cpuMilli: 4000 });
  const { id } = taskOf(await test.call('POST', '/api/v1/tasks', { ...smallTask, stopGrace: '10s', ...more }));
  await placeTasks(test.ctx);
  await runner.sync({ holdMs: 0 });
  await runner.report(id, 'running');
  return { id, runner };
}

const show = async (test: TestContext, id: string) => taskOf(await test.call('GET', `/api/v1/tasks/${id}`));

describe('a task whose node stays away', () => {
  it('is requeued when its owner asked for it and its lease is over, not before', async () => {
    const clock = createManualClock();
    await using test = await openTestContext({ clock });
    const { id, runner } = await runOn(test, clock, { onNodeLoss: 'requeue', nodeLossLease: '10m' });
    expect((await show(test, id)).onNodeLoss).toEqual({ policy: 'requeue', lease: 10 * minuteMs });
    await clock.advance(11 * minuteMs);
    await requeueLost(test.ctx, 0);
    expect((await show(test, id)).state).toBe('running');
    await clock.advance(minuteMs);
    await requeueLost(test.ctx, 0);
    expect(await show(test, id)).toMatchObject({
      state: 'queued',
      node: null,
      reason: { code: 'requeued' },
      attempts: [{ attempt: 1, state: 'lost', end: { cause: 'node_lost' } }],
    });
    await runner.beginSession();
    // The node comes back: what it says of the lost attempt changes nothing.
    expect((await runner.report(id, 'ended')).acked).toMatchObject([{ verdict: 'kept' }]);
    expect((await show(test, id)).state).toBe('queued');
  });

  it('waits for it otherwise, however long', async () => {
    const clock = createManualClock();
    await using test = await openTestContext({ clock });
    const { id } = await runOn(test, clock, {});
    await clock.advance(100 * 24 * 60 * minuteMs);
    await requeueLost(test.ctx, 0);
    expect((await show(test, id)).state).toBe('running');
  });

  it('is not judged by a silence from before this Host began', async () => {
    const clock = createManualClock();
    await using test = await openTestContext({ clock });
    const { id } = await runOn(test, clock, { onNodeLoss: 'requeue', nodeLossLease: '10m' });
    await clock.advance(60 * minuteMs);
    await requeueLost(test.ctx, clock.monotonic() - minuteMs);
    expect((await show(test, id)).state).toBe('running');
  });
});
