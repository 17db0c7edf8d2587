import { describe, expect, it } from 'vitest';
import { workloadKey } from '../../../src/runner/backend/simulated/simulated-engine.ts';
import { assignment, createRoom, refOf, workloadOf } from './room.ts';

describe('work that the Host does not want here', { timeout: 60_000 }, () => {
  it('is reaped after the grace when nobody desires it', async () => {
    const room = createRoom();
    const first = await room.start();
    const task = assignment(1, 'sleep 52w');
    room.host.assign(task);
    await room.live(first, 1000);
    room.host.forget(task.task);
    await room.live(first, 599_000, 1000);
    expect(workloadOf(first, task)).toMatchObject({ phase: 'running', stopping: null });
    await room.live(first, 2000);
    expect(room.engine.workloads.size).toBe(0);
    await first.stop();
  });

  it('is kept in another epoch, in which the Host may have forgotten it', async () => {
    const room = createRoom();
    const runner = await room.start();
    const task = assignment(1, 'sleep 52w');
    room.host.assign(task);
    await room.live(runner, 1000);
    room.host.epoch = 2;
    room.host.forget(task.task);
    await room.live(runner, 1000);
    room.host.exchange(runner.reconciler.workloads, { full: true });
    await room.live(runner, 3_600_000, 60_000);
    expect(workloadOf(runner, task)).toMatchObject({ phase: 'running', stopping: null });
    await runner.stop();
  });

  it('is desired again before the grace is over and goes on', async () => {
    const room = createRoom();
    const runner = await room.start();
    const task = assignment(1, 'sleep 52w');
    room.host.assign(task);
    await room.live(runner, 1000);
    room.host.forget(task.task);
    await room.live(runner, 300_000, 1000);
    room.host.assign(task);
    await room.live(runner, 900_000, 1000);
    expect(workloadOf(runner, task)).toMatchObject({ phase: 'running', stopping: null });
    await runner.stop();
  });

  it('is stopped at once when the Host says that it is superseded', async () => {
    const room = createRoom();
    const first = await room.start();
    const old = assignment(1, 'sleep 52w');
    room.host.assign(old);
    await room.live(first, 1000);
    await first.stop();
    room.host.assign(assignment(1, 'sleep 52w', { attempt: 2 }));
    const second = await room.start();
    await room.live(second, 1000);
    expect(second.reconciler.workloads.get(refOf(old))).toBeUndefined();
    expect([...room.engine.workloads.keys()]).toEqual([workloadKey({ ...refOf(old), attempt: 2 })]);
    await second.stop();
  });

  it('does not stand in the digest, or the two sides would never agree', async () => {
    const room = createRoom();
    const runner = await room.start();
    const task = assignment(1, 'sleep 52w');
    room.host.assign(task);
    await room.live(runner, 1000);
    room.host.forget(task.task);
    room.host.exchange(runner.reconciler.workloads, { full: true });
    expect(room.host.exchange(runner.reconciler.workloads)).toBe(true);
    await runner.stop();
  });

  it('that ended is cleaned up although the Host does not know it', async () => {
    const room = createRoom();
    const runner = await room.start();
    const task = assignment(1, 'sleep 5s');
    room.host.assign(task);
    await room.live(runner, 1000);
    room.host.forget(task.task);
    await room.live(runner, 6000);
    expect(room.engine.workloads.size).toBe(0);
    expect(room.journal.all()).toEqual([]);
    await runner.stop();
  });
});
