import { describe, expect, it } from 'vitest';
import { workloadKey } from '../../../src/runner/backend/simulated/simulated-engine.ts';
import { createSimulatedBackend } from '../../../src/runner/backend/simulated/simulated-backend.ts';
import { createMemoryJournal } from '../../../src/runner/journal/memory-journal.ts';
import { settled } from '../../support/manual-clock.ts';
import { assignment, createRoom, refOf, workloadOf } from './room.ts';

describe('a Runner that begins anew', () => {
  it('finds what runs, and its end', async () => {
    const room = createRoom();
    const first = await room.start();
    const task = assignment(1, 'sleep 10s exit 5');
    room.host.assign(task);
    await room.live(first, 3000);
    await first.stop();
    await room.clock.advance(2000);
    const second = await room.start();
    await room.live(second, 10_000);
    expect(room.host.row(task.task).end).toMatchObject({ cause: 'exit', exitCode: 5 });
    expect(room.runs.get(workloadKey(refOf(task)))).toBe(1);
    expect(room.engine.workloads.size).toBe(0);
    await second.stop();
  });

  it('finds the exit code of what ended meanwhile', async () => {
    const room = createRoom();
    const first = await room.start();
    const task = assignment(1, 'sleep 2s exit 6');
    room.host.assign(task);
    await room.live(first, 1000);
    await first.stop();
    await room.clock.advance(60_000);
    const second = await room.start();
    await room.live(second, 500);
    expect(room.host.row(task.task).end).toMatchObject({ cause: 'exit', exitCode: 6 });
    expect(second.logCalls).toContain(`complete ${task.task}`);
    await second.stop();
  });

  it('goes on with a stop that was under way', async () => {
    const room = createRoom();
    const first = await room.start();
    const task = assignment(1, 'ignore SIGTERM sleep 600s', { stopGraceMs: 5000 });
    room.host.assign(task);
    await room.live(first, 1000);
    room.host.stop(task.task, { cause: 'killed_by', message: 'killed by ada', kill: false });
    await room.live(first, 1000);
    await first.stop();
    const second = await room.start();
    await room.live(second, 6000);
    expect(room.host.row(task.task).end).toMatchObject({ cause: 'killed_by', exitCode: 137 });
    await second.stop();
  });

  it('tells an end again that nobody acknowledged', async () => {
    const room = createRoom();
    const first = await room.start();
    const task = assignment(1, 'exit 7');
    room.host.assign(task);
    room.host.exchange(first.reconciler.workloads);
    await room.clock.advance(1000);
    await first.stop();
    const second = await room.start();
    expect(second.reconciler.workloads.report({ full: false }).changes).toMatchObject([
      { task: task.task, state: 'ended', end: { exitCode: 7 } },
    ]);
    await second.stop();
  });

  it('adopts a container of ours that its journal does not know', async () => {
    const room = createRoom();
    const first = await room.start();
    const task = assignment(1, 'sleep 10s exit 3');
    room.host.assign(task);
    await room.live(first, 1000);
    await first.stop();
    const second = await room.start({ journal: createMemoryJournal() });
    expect(workloadOf(second, task)).toMatchObject({ phase: 'running', assignment: null });
    await room.live(second, 10_000);
    expect(room.host.row(task.task).end).toMatchObject({ exitCode: 3 });
    expect(room.runs.get(workloadKey(refOf(task)))).toBe(1);
    await second.stop();
  });

  it('adopts it also when the Host asks for it before the engine has answered', async () => {
    const room = createRoom();
    const first = await room.start();
    const task = assignment(1, 'sleep 10s exit 3');
    room.host.assign(task);
    await room.live(first, 1000);
    await first.stop();
    room.engine.engineDown();
    const second = await room.start({ journal: createMemoryJournal() });
    await room.live(second, 1000);
    room.engine.engineUp();
    await room.live(second, 10_000);
    expect(room.host.row(task.task).end).toMatchObject({ cause: 'exit', exitCode: 3 });
    await second.stop();
  });

  it('says container_removed of what the Host saw here and nobody has any more', async () => {
    const room = createRoom();
    const task = assignment(1, 'sleep 10s');
    room.host.assign(task);
    room.host.row(task.task).observed = 'running';
    const runner = await room.start();
    await room.live(runner, 1000);
    expect(room.host.row(task.task).end?.cause).toBe('container_removed');
    expect(room.runs.size).toBe(0);
    await runner.stop();
  });
});

describe('an engine that goes away', () => {
  it('in the middle of a run loses nothing', async () => {
    const room = createRoom();
    const runner = await room.start();
    const task = assignment(1, 'sleep 10s exit 2');
    room.host.assign(task);
    await room.live(runner, 1000);
    room.engine.engineDown();
    await room.live(runner, 20_000, 1000);
    expect(room.host.row(task.task)).toMatchObject({ observed: 'running', end: null });
    room.engine.engineUp();
    await room.live(runner, 1000);
    expect(room.host.row(task.task).end).toMatchObject({ cause: 'exit', exitCode: 2 });
    await runner.stop();
  });

  it('between create and start has the start made again, once', async () => {
    const room = createRoom();
    const runner = await room.start();
    const task = assignment(1, 'sleep 1s exit 2');
    room.engine.cutNextStart();
    room.host.assign(task);
    await room.live(runner, 5000);
    expect(room.host.row(task.task).end).toMatchObject({ exitCode: 2 });
    expect(room.runs.get(workloadKey(refOf(task)))).toBe(1);
    await runner.stop();
  });

  it('while a stop is to be sent has the stop sent when it is back', async () => {
    const room = createRoom();
    const runner = await room.start();
    const task = assignment(1, 'sleep 600s');
    room.host.assign(task);
    await room.live(runner, 1000);
    room.engine.engineDown();
    room.host.stop(task.task, { cause: 'killed_by', message: 'killed by ada', kill: false });
    await room.live(runner, 3000);
    expect(room.host.row(task.task).end).toBeNull();
    room.engine.engineUp();
    await room.live(runner, 3000);
    expect(room.host.row(task.task).end).toMatchObject({ cause: 'killed_by', exitCode: 143 });
    await runner.stop();
  });

  it('and takes all along ends it as engine_restart', async () => {
    const room = createRoom();
    const runner = await room.start();
    const task = assignment(1, 'sleep 600s');
    room.host.assign(task);
    await room.live(runner, 1000);
    room.engine.restartAndKill();
    await room.live(runner, 1000);
    expect(room.host.row(task.task).end?.cause).toBe('engine_restart');
    await runner.stop();
  });
});

describe("somebody with the engine's own client", () => {
  it('removes a container: its task ends as container_removed', async () => {
    const room = createRoom();
    const runner = await room.start();
    const task = assignment(1, 'sleep 600s');
    room.host.assign(task);
    await room.live(runner, 1000);
    // The removal takes the process along, whose end the event of it tells first.
    room.engine.engineDown();
    room.engine.removeByHand(refOf(task));
    room.engine.engineUp();
    await room.live(runner, 1000);
    expect(room.host.row(task.task).end).toMatchObject({ cause: 'container_removed', exitCode: null });
    expect(room.runs.get(workloadKey(refOf(task)))).toBe(1);
    await runner.stop();
  });
});

describe('a list that is older than a start', () => {
  it('does not declare what started meanwhile as removed', async () => {
    const room = createRoom();
    const backend = createSimulatedBackend({ engine: room.engine });
    let answer = (): void => undefined;
    let lists = 0;
    const runner = await room.start({
      backend: {
        ...backend,
        async list(signal) {
          const listed = await backend.list(signal);
          lists += 1;
          if (lists === 2) await new Promise<void>((resolve) => (answer = resolve));
          return listed;
        },
      },
    });
    const task = assignment(1, 'sleep 10s');
    room.host.assign(task);
    room.engine.emit({ kind: 'relist' });
    await settled();
    await room.live(runner, 1000);
    expect([lists, room.host.row(task.task).observed]).toEqual([2, 'running']);
    answer();
    await settled();
    await room.live(runner, 1000);
    expect(room.host.row(task.task)).toMatchObject({ observed: 'running', end: null });
    await runner.stop();
  });
});
