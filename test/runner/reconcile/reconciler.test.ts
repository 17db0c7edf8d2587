import { describe, expect, it } from 'vitest';
import { workloadKey } from '../../../src/runner/backend/simulated/simulated-engine.ts';
import { assignment, createRoom, refOf, workloadOf } from './room.ts';

const kill = { cause: 'killed_by', message: 'killed by ada', kill: false } as const;
const slowImage = { image: () => ({ pullMs: 5000, failure: null, program: [] }) };

describe('a workload that is desired', () => {
  it('runs, ends, is told, and is cleaned up once the Host has the end', async () => {
    const room = createRoom();
    const runner = await room.start();
    const task = assignment(1, 'print hi sleep 2s exit 3');
    room.host.assign(task);
    await room.live(runner, 1000);
    expect(room.host.row(task.task).observed).toBe('running');
    await room.live(runner, 2000);
    expect(room.host.row(task.task).end).toMatchObject({ cause: 'exit', exitCode: 3, message: 'exited with code 3' });
    expect([...room.engine.workloads.keys()]).toEqual([]);
    expect([...runner.reconciler.workloads.all()]).toEqual([]);
    expect(room.journal.all()).toEqual([]);
    expect(runner.logCalls).toEqual([`follow ${task.task}`, `complete ${task.task}`]);
    await runner.stop();
  });

  it('is kept with its end while the Host does not answer', async () => {
    const room = createRoom();
    const runner = await room.start();
    const task = assignment(1, 'exit 4');
    room.host.assign(task);
    room.host.exchange(runner.reconciler.workloads);
    await room.clock.advance(3_600_000);
    expect(workloadOf(runner, task)).toMatchObject({ phase: 'ended', end: { exitCode: 4 } });
    expect(room.engine.workloads.size).toBe(1);
    await room.live(runner, 1000);
    expect(room.host.row(task.task).end?.exitCode).toBe(4);
    expect(room.engine.workloads.size).toBe(0);
    await runner.stop();
  });

  it('is told once as running when its start is quick', async () => {
    const room = createRoom();
    const runner = await room.start();
    const task = assignment(1, 'sleep 2s');
    room.host.assign(task);
    await room.live(runner, 1500);
    expect(room.host.told(task.task)).toEqual(['running']);
    await runner.stop();
  });

  it('raises no news of a quick start before it runs', async () => {
    const room = createRoom();
    const runner = await room.start();
    room.host.assign(assignment(1, 'sleep 2s'));
    room.host.exchange(runner.reconciler.workloads);
    let raised = 0;
    const stop = new AbortController();
    const count = async (): Promise<void> => {
      for (;;) {
        await runner.reconciler.news.wait(stop.signal);
        raised += 1;
      }
    };
    const counting = count().catch(() => undefined);
    await room.clock.advance(99);
    expect(raised).toBe(0);
    await room.clock.advance(1);
    expect(raised).toBe(1);
    stop.abort();
    await counting;
    await runner.stop();
  });

  it('is told as starting when that takes its time', async () => {
    const room = createRoom({ startMs: () => 5000 });
    const runner = await room.start();
    room.host.assign(assignment(1, 'sleep 2s'));
    room.host.exchange(runner.reconciler.workloads);
    const news = runner.reconciler.news.wait(new AbortController().signal);
    await room.clock.advance(250);
    await news;
    expect(runner.reconciler.workloads.report({ full: false }).changes).toMatchObject([{ state: 'starting' }]);
    await runner.stop();
  });

  it('shows the progress of a pull', async () => {
    const room = createRoom(slowImage);
    const runner = await room.start();
    const task = assignment(1, 'exit 0');
    room.host.assign(task);
    await room.live(runner, 1000);
    expect(room.host.row(task.task).observed).toBe('pulling');
    expect(workloadOf(runner, task).progress).toBe('0 of 1 layers');
    await room.live(runner, 5000);
    expect(room.host.row(task.task).end).toMatchObject({ cause: 'exit', exitCode: 0 });
    await runner.stop();
  });

  it('may be desired before the engine was listed', async () => {
    const room = createRoom();
    room.engine.engineDown();
    const runner = await room.start();
    const task = assignment(1, 'sleep 5s exit 2');
    room.host.assign(task);
    await room.live(runner, 10_000);
    expect(runner.reconciler.workloads.isListed()).toBe(false);
    room.engine.engineUp();
    await room.live(runner, 10_000);
    expect(room.host.row(task.task).end).toMatchObject({ exitCode: 2 });
    expect(room.runs.get(workloadKey(refOf(task)))).toBe(1);
    await runner.stop();
  });
});

describe('a workload that cannot be run', () => {
  it('ends as image_not_found, without a container', async () => {
    const room = createRoom();
    const runner = await room.start();
    const task = assignment(1, 'exit 0', { image: 'sim/missing:1' });
    room.host.assign(task);
    await room.live(runner, 1000);
    expect(room.host.row(task.task).end).toMatchObject({
      cause: 'image_not_found',
      message: expect.stringContaining('sim/missing:1'),
    });
    expect(room.engine.workloads.size).toBe(0);
    await runner.stop();
  });

  it('ends as image_pull_failed', async () => {
    const room = createRoom({ image: () => ({ pullMs: 100, failure: 'image_pull_failed', program: [] }) });
    const runner = await room.start();
    const task = assignment(1, 'exit 0');
    room.host.assign(task);
    await room.live(runner, 1000);
    expect(room.host.row(task.task).end?.cause).toBe('image_pull_failed');
    await runner.stop();
  });

  it('ends as start_failed with the words of the engine', async () => {
    const room = createRoom({ startFailure: () => 'no such user' });
    const runner = await room.start();
    const task = assignment(1, 'exit 0');
    room.host.assign(task);
    await room.live(runner, 1000);
    expect(room.host.row(task.task).end).toMatchObject({ cause: 'start_failed', message: 'no such user' });
    await runner.stop();
  });
});

describe('a workload that is told to stop', () => {
  it('before anything was done never runs', async () => {
    const room = createRoom();
    const runner = await room.start();
    const task = assignment(1, 'sleep 60s');
    room.host.assign(task);
    room.host.stop(task.task, kill);
    await room.live(runner, 1000);
    expect(room.host.row(task.task).end).toMatchObject({ cause: 'killed_by', message: 'killed by ada', exitCode: null });
    expect(room.runs.size).toBe(0);
    expect(room.engine.workloads.size).toBe(0);
    await runner.stop();
  });

  it('while its image is pulled ends at once', async () => {
    const room = createRoom(slowImage);
    const runner = await room.start();
    const task = assignment(1, 'sleep 60s');
    room.host.assign(task);
    await room.live(runner, 1000);
    room.host.stop(task.task, kill);
    await room.live(runner, 500);
    expect(room.host.row(task.task).end?.cause).toBe('killed_by');
    await room.live(runner, 60_000, 1000);
    expect(room.runs.size).toBe(0);
    await runner.stop();
  });

  it('while it starts leaves no container behind', async () => {
    const room = createRoom({ startMs: () => 2000 });
    const runner = await room.start();
    const task = assignment(1, 'sleep 60s');
    room.host.assign(task);
    await room.live(runner, 1000);
    expect(room.engine.workloads.get(workloadKey(refOf(task)))?.phase).toBe('created');
    room.host.stop(task.task, kill);
    await room.live(runner, 5000);
    expect(room.host.row(task.task).end).toMatchObject({ cause: 'killed_by', exitCode: null });
    expect(room.engine.workloads.size).toBe(0);
    expect(room.host.told(task.task)).not.toContain('running');
    await runner.stop();
  });

  it('while it runs gets its own stop signal', async () => {
    const room = createRoom();
    const runner = await room.start();
    const task = assignment(1, 'ignore SIGTERM sleep 60s', { stopSignal: 'SIGINT' });
    room.host.assign(task);
    await room.live(runner, 1000);
    room.host.stop(task.task, kill);
    await room.live(runner, 500);
    expect(room.host.row(task.task).end).toMatchObject({ cause: 'killed_by', exitCode: 130, signal: 'SIGINT' });
    await runner.stop();
  });

  it('gets its grace, and SIGKILL behind it', async () => {
    const room = createRoom();
    const runner = await room.start();
    const task = assignment(1, 'ignore SIGTERM sleep 60s', { stopGraceMs: 3000 });
    room.host.assign(task);
    await room.live(runner, 1000);
    room.host.stop(task.task, kill);
    await room.live(runner, 2800);
    expect(room.host.row(task.task)).toMatchObject({ observed: 'stopping', end: null });
    await room.live(runner, 500);
    expect(room.host.row(task.task).end).toMatchObject({ cause: 'killed_by', exitCode: 137 });
    await runner.stop();
  });

  it('by force gets no grace, also when it was being stopped gently', async () => {
    const room = createRoom();
    const runner = await room.start();
    const task = assignment(1, 'ignore SIGTERM sleep 60s', { stopGraceMs: 600_000 });
    room.host.assign(task);
    await room.live(runner, 1000);
    room.host.stop(task.task, kill);
    await room.live(runner, 1000);
    room.host.stop(task.task, { ...kill, kill: true });
    await room.live(runner, 500);
    expect(room.host.row(task.task).end).toMatchObject({ cause: 'killed_by', exitCode: 137 });
    await runner.stop();
  });

  it('while it is paused is killed, since it could not hear a signal', async () => {
    const room = createRoom();
    const runner = await room.start();
    const task = assignment(1, 'sleep 60s');
    room.host.assign(task);
    await room.live(runner, 1000);
    room.host.pause(task.task, true);
    await room.live(runner, 200);
    expect(room.host.row(task.task).observed).toBe('paused');
    room.host.stop(task.task, kill);
    await room.live(runner, 500);
    expect(room.host.row(task.task).end).toMatchObject({ cause: 'killed_by', exitCode: 137 });
    await runner.stop();
  });

  it('is called stuck when SIGKILL does not end it, and is killed again until it does', async () => {
    const room = createRoom();
    const runner = await room.start();
    const task = assignment(1, 'sleep 600s');
    room.host.assign(task);
    await room.live(runner, 1000);
    const immortal = room.engine.workloads.get(workloadKey(refOf(task)));
    const { process } = immortal ?? {};
    if (immortal) immortal.process = null;
    room.host.stop(task.task, { ...kill, kill: true });
    await room.live(runner, 9000);
    expect(room.host.row(task.task)).toMatchObject({ observed: 'stopping', stuck: false });
    await room.live(runner, 2000);
    expect(room.host.row(task.task)).toMatchObject({ observed: 'stopping', stuck: true, end: null });
    if (immortal && process) immortal.process = process;
    await room.live(runner, 11_000);
    expect(room.host.row(task.task).end).toMatchObject({ cause: 'killed_by', exitCode: 137 });
    await runner.stop();
  });
});

describe('a time limit', () => {
  it('ends what runs longer as timeout', async () => {
    const room = createRoom();
    const runner = await room.start();
    const task = assignment(1, 'sleep 60s', { timeLimitMs: 5000 });
    room.host.assign(task);
    await room.live(runner, 5000);
    expect(room.host.row(task.task).end).toBeNull();
    await room.live(runner, 500);
    expect(room.host.row(task.task).end).toMatchObject({ cause: 'timeout', exitCode: 143, message: 'ran longer than its limit of 5s' });
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
