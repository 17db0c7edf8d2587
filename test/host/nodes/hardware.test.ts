import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { eq } from 'drizzle-orm';
import { hardwareChange } from '../../../src/host/nodes/hardware-change.ts';
import { placeTasks } from '../../../src/host/reconcile/place.ts';
import { events, nodes } from '../../../src/host/store/schema.ts';
import type { TaskId } from '../../../src/protocol/ids.ts';
import type { CapacityReport, Hardware, Load } from '../../../src/protocol/node-report.ts';
import type { NodeView } from '../../../src/protocol/node-view.ts';
import type { TaskView } from '../../../src/protocol/task-view.ts';
import { smallTask, taskOf } from '../../support/calls.ts';
import { openTestContext, type TestContext } from '../../support/host-context.ts';
import { createManualClock, type ManualClock } from '../../support/manual-clock.ts';
import { exited, joinRunner, type WireRunner } from '../../support/runner-wire.ts';

const gib = 1024 ** 3;
let clock: ManualClock;
let test: TestContext;
let runner: WireRunner;
beforeEach(async () => {
  clock = createManualClock();
  test = await openTestContext({ clock });
  runner = await joinRunner({ call: test.call, now: clock.now }, { name: 'gpu1', gpus: ['GPU-a', 'GPU-b'] });
});
afterEach(() => test[Symbol.asyncDispose]());

const show = async (ref: string): Promise<TaskView> => taskOf(await test.call('GET', `/api/v1/tasks/${ref}`));
const node = async (): Promise<NodeView> => (await test.call('GET', '/api/v1/nodes/gpu1')).body as NodeView;

/** The same machine with other parts. */
function machine(parts: Partial<Hardware> & { uuids?: string[] }): CapacityReport {
  const { uuids, ...rest } = parts;
  const { hardware } = runner.capacity;
  const gpus =
    uuids?.map((uuid, index) => ({ uuid, index, model: 'Test', memoryBytes: 8 * gib, numaNode: null })) ??
    hardware.gpus;
  return { ...runner.capacity, hardware: { ...hardware, ...rest, gpus } };
}

async function runningOn(gpus: number): Promise<TaskId> {
  const { id } = taskOf(
    await test.call('POST', '/api/v1/tasks', {
      ...smallTask,
      resources: { cpus: 0.5, memory: '64MiB', gpus: { count: gpus } },
    }),
  );
  await placeTasks(test.ctx);
  await runner.sync({ holdMs: 0 });
  await runner.report(id, 'running', { startedAt: clock.now() });
  return id;
}

async function nodeEvents() {
  return test.ctx.db.select().from(events).where(eq(events.kind, 'node'));
}

describe('hardware that changes', () => {
  it('is an event that says what came and what went, and counts for new work at once', async () => {
    await runner.sync({
      holdMs: 0,
      capacity: machine({ uuids: ['GPU-a', 'GPU-c'], memoryBytes: 12 * gib, cpuMilli: 9500 }),
    });
    const last = (await nodeEvents()).at(-1);
    expect(last?.type).toBe('node.updated');
    expect(last?.data).toMatchObject({
      capacity: { cpus: 9.5, memory: 12 * gib, gpus: 2 },
      hardwareChange: {
        added: [
          { what: 'gpu', uuid: 'GPU-c', index: 1, model: 'Test' },
          { what: 'cpus', cpus: 1.5 },
        ],
        removed: [
          { what: 'gpu', uuid: 'GPU-b' },
          { what: 'memory', memory: 4 * gib },
        ],
      },
    });
    expect((await node()).gpus.map(({ uuid }) => uuid)).toEqual(['GPU-a', 'GPU-c']);
  });

  it('is no event when the same is told again', async () => {
    const before = (await nodeEvents()).length;
    await runner.sync({ holdMs: 0, capacity: machine({}) });
    expect(await nodeEvents()).toHaveLength(before);
  });

  it('is told without a list of parts when only its description changed', async () => {
    await runner.sync({ holdMs: 0, capacity: machine({ kernel: '6.2.0' }) });
    const last = (await nodeEvents()).at(-1);
    expect(last?.data).toMatchObject({ hardware: { kernel: '6.2.0' } });
    expect(last?.data).not.toHaveProperty('hardwareChange');
  });

  it('leaves the work alone whose GPU is gone, and says so until it is back', async () => {
    const id = await runningOn(2);
    await runner.sync({ holdMs: 0, capacity: machine({ uuids: ['GPU-a'] }) });
    expect(await show(id)).toMatchObject({
      state: 'running',
      gpus: ['GPU-a', 'GPU-b'],
      reason: {
        code: 'gpu_missing',
        message: 'gpu1 does not see GPU-b any more',
        advice: expect.stringContaining('look at the node'),
      },
    });
    await runner.report(id, 'running');
    expect(await show(id)).toMatchObject({ reason: { code: 'gpu_missing' } });
    await runner.sync({ holdMs: 0, capacity: machine({ uuids: ['GPU-a', 'GPU-b'] }) });
    expect(await show(id)).toMatchObject({ state: 'running', reason: null });
  });

  it('says nothing of work whose GPUs are all there', async () => {
    const id = await runningOn(1);
    const { rev, gpus } = await show(id);
    await runner.sync({ holdMs: 0, capacity: machine({ uuids: gpus }) });
    expect(await show(id)).toMatchObject({ rev, reason: null });
  });

  it('gives no new work a GPU that is gone, and starts what waits when one comes', async () => {
    await runner.sync({ holdMs: 0, capacity: machine({ uuids: ['GPU-a'] }) });
    const { id } = taskOf(
      await test.call('POST', '/api/v1/tasks', {
        ...smallTask,
        resources: { cpus: 0.5, memory: '64MiB', gpus: { count: 2 } },
      }),
    );
    await placeTasks(test.ctx);
    expect((await show(id)).state).toBe('queued');
    const woken = test.ctx.wakes.reconcile.wait(new AbortController().signal);
    await runner.sync({ holdMs: 0, capacity: machine({ uuids: ['GPU-a', 'GPU-c'] }) });
    await woken;
    await placeTasks(test.ctx);
    expect(await show(id)).toMatchObject({ state: 'assigned', gpus: ['GPU-a', 'GPU-c'] });
  });

  it('is the difference of two machines in both directions', () => {
    const { hardware } = runner.capacity;
    const more = { ...hardware, cpuMilli: hardware.cpuMilli + 250 };
    expect(hardwareChange(hardware, hardware)).toBeNull();
    expect(hardwareChange(hardware, more)).toEqual({ added: [{ what: 'cpus', cpus: 0.25 }], removed: [] });
    expect(hardwareChange(more, hardware)).toEqual({ added: [], removed: [{ what: 'cpus', cpus: 0.25 }] });
  });
});

describe('how busy a node is', () => {
  const load: Load = { load1: 1, memoryAvailableBytes: gib, diskFreeBytes: gib, loopLagMs: 1 };
  const usageOf = (task: TaskId, attempt = 1) => ({
    task,
    attempt,
    cpuMilli: 1500,
    memoryBytes: 4096,
    gpu: [{ uuid: 'GPU-a', memoryBytes: 77 }],
  });

  it('is shown with the node, and what each task uses with the task, also in lists', async () => {
    const id = await runningOn(1);
    expect((await show(id)).usage).toBeNull();
    await runner.sync({
      holdMs: 0,
      load: { ...load, workloads: [usageOf(id)], temperatures: [{ sensor: 'cpu', celsius: 60 }] },
    });
    const usage = { cpus: 1.5, memory: 4096, gpus: [{ uuid: 'GPU-a', memory: 77 }] };
    expect((await show(id)).usage).toEqual(usage);
    const list = await test.call('GET', '/api/v1/tasks');
    expect(list.body).toMatchObject({ items: [{ id, usage }] });
    const shown = (await node()).load;
    expect(shown).toMatchObject({ load1: 1, temperatures: [{ celsius: 60 }] });
    expect(shown).not.toHaveProperty('workloads');
  });

  it('is stored nowhere: a report of load alone changes no row and makes no event', async () => {
    const id = await runningOn(1);
    const stored = async () => ({
      rows: await test.ctx.db.select().from(nodes),
      events: (await test.ctx.db.select().from(events)).length,
    });
    const before = await stored();
    await runner.sync({ holdMs: 0, load: { ...load, workloads: [usageOf(id)] } });
    await runner.sync({ holdMs: 0, capacity: { ...machine({}), load } });
    expect(await stored()).toEqual(before);
    await runner.sync({ holdMs: 0, capacity: { ...machine({ kernel: 'new' }), load } });
    const [row] = await test.ctx.db.select().from(nodes);
    expect(row?.capacity).toMatchObject({ hardware: { kernel: 'new' } });
    expect(row?.capacity).not.toHaveProperty('load');
  });

  it('is not told of another attempt, of what has ended, or by a node that is silent', async () => {
    const id = await runningOn(1);
    await runner.sync({ holdMs: 0, load: { ...load, workloads: [usageOf(id, 2)] } });
    expect((await show(id)).usage).toBeNull();
    await runner.sync({ holdMs: 0, load: { ...load, workloads: [usageOf(id)] } });
    expect((await show(id)).usage).not.toBeNull();
    await clock.advance(test.ctx.config.suspectMs + 1);
    expect((await show(id)).usage).toBeNull();
    await runner.sync({ holdMs: 0 });
    expect((await show(id)).usage).not.toBeNull();
    await runner.report(id, 'ended', { end: exited(0) });
    expect((await show(id)).usage).toBeNull();
  });
});
