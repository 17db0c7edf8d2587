import { describe, expect, it } from 'vitest';
import { assignment, createRoom, workloadOf } from './room.ts';

describe('a time limit', () => {
  it('ends what runs longer as timeout', async () => {
    const room = createRoom();
    const runner = await room.start();
    const task = assignment(1, 'sleep 60s', { timeLimitMs: 5000 });
    room.host.assign(task);
    await room.live(runner, 5000);
    expect(room.host.row(task.task).end).toBeNull();
    await room.live(runner, 500);
    expect(room.host.row(task.task).end).toMatchObject({
      cause: 'timeout',
      exitCode: 143,
      message: 'ran longer than its limit of 5s',
    });
    await runner.stop();
  });

  it('counts from the start over a restart of the Runner', async () => {
    const room = createRoom();
    const first = await room.start();
    const task = assignment(1, 'sleep 60s', { timeLimitMs: 10_000 });
    room.host.assign(task);
    await room.live(first, 4000);
    await first.stop();
    await room.clock.advance(3000);
    const second = await room.start();
    await room.live(second, 2800);
    expect(room.host.row(task.task).end).toBeNull();
    await room.live(second, 500);
    expect(room.host.row(task.task).end?.cause).toBe('timeout');
    await second.stop();
  });

  it('does not strike when the wall clock of the node was never right and the Host is away at a restart', async () => {
    const room = createRoom();
    room.clock.jumpWall(-86_400_000);
    const first = await room.start();
    first.hostClock.learn(room.clock.now() + 86_400_000, room.clock.monotonic());
    const task = assignment(1, 'sleep 60s', { timeLimitMs: 10_000 });
    room.host.assign(task);
    await room.live(first, 4000);
    await first.stop();
    const second = await room.start();
    await room.clock.advance(5000);
    expect(workloadOf(second, task)).toMatchObject({ phase: 'running', stopping: null });
    await room.clock.advance(2000);
    expect(workloadOf(second, task).end?.cause).toBe('timeout');
    await second.stop();
  });

  it('does not count while the Host is away any more than while it answers', async () => {
    const room = createRoom();
    const runner = await room.start();
    const task = assignment(1, 'sleep 60s', { timeLimitMs: 10_000 });
    room.host.assign(task);
    await room.live(runner, 1000);
    await room.clock.advance(10_000);
    expect(workloadOf(runner, task).end?.cause).toBe('timeout');
    await runner.stop();
  });

  it('does not strike early when the wall clock of the node is ahead of the Host', async () => {
    const room = createRoom();
    room.clock.jumpWall(3_600_000);
    const first = await room.start();
    first.hostClock.learn(room.clock.now() - 3_600_000, room.clock.monotonic());
    const task = assignment(1, 'sleep 60s', { timeLimitMs: 10_000 });
    room.host.assign(task);
    await room.live(first, 4000);
    await first.stop();
    const second = await room.start();
    await room.clock.advance(1000);
    expect(workloadOf(second, task)).toMatchObject({ phase: 'running', stopping: null });
    await second.stop();
  });
});

describe('a lease', () => {
  const hourMs = 3_600_000;

  it('ends the work by itself when the Host was not heard of for so long, and not before', async () => {
    const room = createRoom();
    const runner = await room.start();
    const task = assignment(1, 'sleep 52w', { leaseMs: hourMs });
    room.host.assign(task);
    await room.live(runner, 1000);
    runner.reconciler.workloads.markHeard();
    await room.clock.advance(hourMs - 1000);
    expect(workloadOf(runner, task)).toMatchObject({ phase: 'running', stopping: null });
    await room.clock.advance(2000);
    expect(workloadOf(runner, task).end?.cause).toBe('node_lost');
    await runner.stop();
  });

  it('goes on counting over a restart', async () => {
    const room = createRoom();
    const first = await room.start();
    const task = assignment(1, 'sleep 52w', { leaseMs: hourMs });
    room.host.assign(task);
    await room.live(first, 1000);
    first.reconciler.workloads.markHeard();
    await room.clock.advance(hourMs / 2);
    await first.stop();
    await room.clock.advance(hourMs / 2 - 5000);
    const second = await room.start();
    expect(workloadOf(second, task)).toMatchObject({ phase: 'running', stopping: null });
    await room.clock.advance(10_000);
    expect(workloadOf(second, task).end?.cause).toBe('node_lost');
    await second.stop();
  });

  it('is not over because the wall clock of the node is ahead at a restart', async () => {
    const room = createRoom();
    room.clock.jumpWall(2 * hourMs);
    const first = await room.start();
    first.hostClock.learn(room.clock.now() - 2 * hourMs, room.clock.monotonic());
    const task = assignment(1, 'sleep 52w', { leaseMs: hourMs });
    room.host.assign(task);
    await room.live(first, 1000);
    first.reconciler.workloads.markHeard();
    await first.stop();
    const second = await room.start();
    await room.clock.advance(60_000);
    expect(workloadOf(second, task)).toMatchObject({ phase: 'running', stopping: null });
    await second.stop();
  });
});
