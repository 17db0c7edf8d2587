import { describe, expect, it } from 'vitest';
import { abortable } from '../../../src/lib/abort.ts';
import { createSimulatedBackend } from '../../../src/runner/backend/simulated/simulated-backend.ts';
import { workloadKey } from '../../../src/runner/backend/simulated/simulated-engine.ts';
import { assignment, createRoom, refOf } from './room.ts';

const kill = { cause: 'killed_by', message: 'killed by ada', kill: false } as const;
const slowImage = { image: () => ({ pullMs: 5000, failure: null, program: [] }) };

describe('a workload that is told to stop', () => {
  it('before anything was done never runs', async () => {
    const room = createRoom();
    const runner = await room.start();
    const task = assignment(1, 'sleep 60s');
    room.host.assign(task);
    room.host.stop(task.task, kill);
    await room.live(runner, 1000);
    expect(room.host.row(task.task).end).toMatchObject({
      cause: 'killed_by',
      message: 'killed by ada',
      exitCode: null,
    });
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

  it('is stopped like any other when its start got through all the same', async () => {
    const room = createRoom({ startMs: () => 2000 });
    const backend = createSimulatedBackend({ engine: room.engine });
    const runner = await room.start({
      backend: {
        ...backend,
        // The engine goes on with a start whose caller has left.
        start: (order, signal) => abortable(backend.start(order, new AbortController().signal), signal),
        end: async (ref, signal) => {
          await room.clock.sleep(1500, signal);
          return backend.end(ref, signal);
        },
      },
    });
    const task = assignment(1, 'sleep 60s');
    room.host.assign(task);
    await room.live(runner, 1000);
    room.host.stop(task.task, kill);
    await room.live(runner, 5000);
    expect(room.host.row(task.task).end).toMatchObject({ cause: 'killed_by', exitCode: 143 });
    expect(room.engine.workloads.size).toBe(0);
    await runner.stop();
  });

  it('and ends by itself before anything could be sent has ended by itself', async () => {
    const room = createRoom();
    const runner = await room.start();
    const task = assignment(1, 'sleep 2s exit 5');
    room.host.assign(task);
    await room.live(runner, 1000);
    room.engine.engineDown();
    room.host.stop(task.task, kill);
    await room.live(runner, 5000);
    room.engine.engineUp();
    await room.live(runner, 3000);
    expect(room.host.row(task.task).end).toMatchObject({ cause: 'exit', exitCode: 5 });
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
