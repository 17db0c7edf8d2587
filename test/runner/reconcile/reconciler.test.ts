import { describe, expect, it } from 'vitest';
import { workloadKey } from '../../../src/runner/backend/simulated/simulated-engine.ts';
import { assignment, createRoom, refOf, workloadOf } from './room.ts';

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
    // To follow is idempotent: the event and the start call may both ask for it.
    expect([...new Set(runner.logCalls)]).toEqual([`follow ${task.task}`, `complete ${task.task}`]);
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

describe('a workload that is paused', () => {
  it('stands still until it is resumed', async () => {
    const room = createRoom();
    const runner = await room.start();
    const task = assignment(1, 'sleep 2s exit 3');
    room.host.assign(task);
    await room.live(runner, 1000);
    room.host.pause(task.task, true);
    await room.live(runner, 60_000, 1000);
    expect(room.host.row(task.task)).toMatchObject({ observed: 'paused', end: null });
    room.host.pause(task.task, false);
    await room.live(runner, 2000);
    expect(room.host.row(task.task).end).toMatchObject({ cause: 'exit', exitCode: 3 });
    expect(room.host.told(task.task)).toEqual(['running', 'paused', 'running', 'ended']);
    await runner.stop();
  });

  it('before it runs is paused as soon as it does', async () => {
    const room = createRoom(slowImage);
    const runner = await room.start();
    const task = assignment(1, 'sleep 2s exit 3');
    room.host.assign(task);
    room.host.pause(task.task, true);
    await room.live(runner, 20_000, 1000);
    expect(room.host.row(task.task).observed).toBe('paused');
    await runner.stop();
  });

  it('stays paused over a restart of the Runner', async () => {
    const room = createRoom();
    const first = await room.start();
    const task = assignment(1, 'sleep 2s exit 3');
    room.host.assign(task);
    room.host.pause(task.task, true);
    await room.live(first, 1000);
    await first.stop();
    const second = await room.start();
    await room.live(second, 10_000, 1000);
    expect(room.host.row(task.task)).toMatchObject({ observed: 'paused', end: null });
    expect(room.runs.get(workloadKey(refOf(task)))).toBe(1);
    await second.stop();
  });
});
