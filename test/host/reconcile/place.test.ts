import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { placeTasks } from '../../../src/host/reconcile/place.ts';
import { attempts, tasks } from '../../../src/host/store/schema.ts';
import { bareEnd } from '../../../src/protocol/task-end.ts';
import { isPlaced } from '../../../src/protocol/task-state.ts';
import type { TaskView } from '../../../src/protocol/task-view.ts';
import { problemOf, smallTask, taskOf } from '../../support/calls.ts';
import { openTestContext, type TestContext } from '../../support/host-context.ts';
import { joinRunner, type NodeWish, type WireRunner } from '../../support/runner-wire.ts';

const gibibyte = 1024 ** 3;

async function submit(test: TestContext, more: Record<string, unknown> = {}): Promise<TaskView> {
  return taskOf(await test.call('POST', '/api/v1/tasks', { ...smallTask, ...more }));
}

async function show(test: TestContext, ref: string): Promise<TaskView> {
  return taskOf(await test.call('GET', `/api/v1/tasks/${ref}`));
}

describe('why a task waits', () => {
  it('is told by the first pass and changes with the cluster', async () => {
    await using test = await openTestContext();
    const { id } = await submit(test, { resources: { cpus: 6, memory: '1GiB' } });
    const codes: (string | undefined)[] = [];
    const look = async (): Promise<void> => {
      await placeTasks(test.ctx);
      codes.push((await show(test, id)).reason?.code);
    };
    await look();
    await joinRunner(test, { name: 'small', cpuMilli: 2000 });
    await look();
    const large = await joinRunner(test, { name: 'large', cpuMilli: 8000 });
    await test.call('POST', '/api/v1/nodes/large/drain', {});
    await look();
    const first = await submit(test, { priority: 'urgent', resources: { cpus: 5, memory: '1GiB' } });
    await test.call('POST', '/api/v1/nodes/large/undrain');
    await look();
    expect((await show(test, first.id)).state).toBe('assigned');
    await large.sync();
    await large.report(first.id, 'ended');
    await look();
    expect(codes).toEqual(['no_nodes', 'impossible', 'node_not_ready', 'resources', undefined]);
    expect(await show(test, id)).toMatchObject({ state: 'assigned', nodeName: 'large', reason: null, reasons: [] });
  });

  it('is told by node, with its cause', async () => {
    await using test = await openTestContext();
    await joinRunner(test, { name: 'left', cpuMilli: 1000 });
    await joinRunner(test, { name: 'right', cpuMilli: 1000, labels: { disk: 'fast' } });
    const { id } = await submit(test, {
      resources: { cpus: 1, gpus: { count: 1 } },
      placement: { labels: { disk: 'fast' } },
    });
    await placeTasks(test.ctx);
    const { reasons, reason } = await show(test, id);
    expect(reason).toMatchObject({ code: 'impossible', advice: expect.stringMatching(/./) });
    expect(reasons.flatMap((one) => one.nodes).toSorted()).toEqual(['n1', 'n2']);
    const explained = (await test.call('GET', `/api/v1/tasks/${id}/explain`)).body;
    expect(explained).toMatchObject({
      state: 'queued',
      nodes: [
        { nodeName: 'left', fits: false },
        { nodeName: 'right', fits: false },
      ],
    });
  });

  it('is stored once and told once while it stays the same', async () => {
    await using test = await openTestContext();
    const { id } = await submit(test);
    await placeTasks(test.ctx);
    const { rev } = await show(test, id);
    for (let turn = 0; turn < 3; turn += 1) await placeTasks(test.ctx);
    expect((await show(test, id)).rev).toBe(rev);
  });
});

describe('a task', () => {
  it("waits for a node that has been heard of since this Host's start", async () => {
    await using test = await openTestContext();
    const runner = await joinRunner(test);
    test.ctx.presence.forget(runner.node);
    const { id } = await submit(test);
    await placeTasks(test.ctx);
    expect((await show(test, id)).state).toBe('queued');
    await runner.sync();
    await placeTasks(test.ctx);
    expect((await show(test, id)).state).toBe('assigned');
  });

  it('that no node could ever run is refused when asked strictly, and then not kept', async () => {
    await using test = await openTestContext();
    await joinRunner(test, { gpus: ['GPU-a'] });
    const strictly = (spec: unknown) => test.call('POST', '/api/v1/tasks?strict', spec);
    const absent = { ...smallTask, resources: { gpus: { uuids: ['GPU-b'] } } };
    for (const spec of [
      { ...smallTask, resources: { cpus: 9 } },
      absent,
      { ...smallTask, placement: { labels: { a: 'b' } } },
    ]) {
      expect(problemOf(await strictly(spec))).toMatchObject({ status: 422, code: 'impossible' });
    }
    expect(await test.ctx.db.select().from(tasks)).toEqual([]);
    expect((await strictly({ ...smallTask, resources: { gpus: { count: 1 } } })).status).toBe(201);
    const several = await test.call('POST', '/api/v1/tasks/batch?strict=true', [smallTask, absent]);
    expect(problemOf(several)).toMatchObject({ code: 'impossible', detail: expect.stringContaining('task 1') });
  });

  it('goes to the node that it names and no other', async () => {
    await using test = await openTestContext();
    await joinRunner(test, { name: 'left' });
    await joinRunner(test, { name: 'right' });
    const made = await Promise.all(Array.from({ length: 5 }, () => submit(test, { placement: { node: 'right' } })));
    await placeTasks(test.ctx);
    for (const { id } of made) expect((await show(test, id)).nodeName).toBe('right');
  });

  it('that is killed while the pass decides is not placed', async () => {
    await using test = await openTestContext();
    await joinRunner(test);
    const { id } = await submit(test);
    await Promise.all([placeTasks(test.ctx), test.call('POST', `/api/v1/tasks/${id}/kill`, {})]);
    const after = await show(test, id);
    expect(after.state === 'killed' ? after.attempts?.length : after.attempts?.[0]?.state).toBe(
      after.state === 'killed' ? 0 : 'stopping',
    );
  });
});

type Step =
  | { do: 'submit'; cpus: number; memoryGiB: number; gpus: number | readonly string[] }
  | { do: 'kill'; pick: number; force: boolean }
  | { do: 'report'; pick: number; state: 'pulling' | 'running' | 'paused' | 'stopping' | 'ended' }
  | { do: 'place' }
  | { do: 'sync'; pick: number }
  | { do: 'drain'; pick: number };

const machines: NodeWish[] = [
  { name: 'a', cpuMilli: 2000, memoryBytes: 4 * gibibyte, gpus: ['GPU-a0', 'GPU-a1'] },
  { name: 'b', cpuMilli: 4000, memoryBytes: 2 * gibibyte, gpus: ['GPU-b0'] },
];
const uuids = machines.flatMap((machine) => machine.gpus ?? []);
const pick = fc.nat({ max: 50 });
const anyStep: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('submit' as const),
      cpus: fc.constantFrom(0, 0.5, 1, 1.5, 3),
      memoryGiB: fc.constantFrom(0, 0.5, 1, 3),
      gpus: fc.oneof(fc.constantFrom(0, 0, 1, 2), fc.subarray(uuids, { minLength: 1, maxLength: 2 })),
    }),
  },
  { weight: 3, arbitrary: fc.constant({ do: 'place' as const }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('sync' as const), pick }) },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('report' as const),
      pick,
      state: fc.constantFrom(
        'pulling' as const,
        'running' as const,
        'paused' as const,
        'stopping' as const,
        'ended' as const,
      ),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('kill' as const), pick, force: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('drain' as const), pick }) },
);

function at<T>(all: readonly T[], number: number): T | undefined {
  return all[number % Math.max(1, all.length)];
}

interface World {
  test: TestContext;
  runners: readonly WireRunner[];
  ids: string[];
}

async function take(world: World, step: Step): Promise<void> {
  const { test, runners, ids } = world;
  switch (step.do) {
    case 'submit': {
      const gpus =
        typeof step.gpus === 'number' ? (step.gpus === 0 ? null : { count: step.gpus }) : { uuids: step.gpus };
      const resources = { cpus: step.cpus, memory: step.memoryGiB * gibibyte, gpus };
      ids.push((await submit(test, { resources })).id);
      return;
    }
    case 'place':
      await placeTasks(test.ctx);
      return;
    case 'sync':
      await at(runners, step.pick)?.sync();
      return;
    case 'kill': {
      const id = at(ids, step.pick);
      if (id !== undefined) await test.call('POST', `/api/v1/tasks/${id}/kill`, { force: step.force });
      return;
    }
    case 'drain':
      await test.call(
        'POST',
        `/api/v1/nodes/${at(runners, step.pick)?.node}/${step.pick % 2 === 0 ? 'drain' : 'undrain'}`,
        step.pick % 2 === 0 ? {} : undefined,
      );
      return;
    case 'report': {
      const runner = at(runners, step.pick);
      const id = at([...(runner?.desired.keys() ?? [])], step.pick);
      if (runner && id !== undefined)
        await runner.report(id, step.state, step.state === 'ended' ? { end: bareEnd('killed_by', 'x') } : {});
    }
  }
}

/** Nothing is promised twice, and rows of tasks and attempts agree. */
async function checkAccounts({ test, runners }: World): Promise<void> {
  const rows = await test.ctx.db.select().from(tasks);
  const live = (await test.ctx.db.select().from(attempts)).filter((attempt) => attempt.endedMs === null);
  const placed = rows.filter((row) => isPlaced(row.state));
  expect(live.map((attempt) => `${attempt.task}/${attempt.attempt}@${attempt.node}`).toSorted()).toEqual(
    placed.map((row) => `${row.id}/${row.attempt}@${row.node}`).toSorted(),
  );
  for (const [index, runner] of runners.entries()) {
    const here = placed.filter((row) => row.node === runner.node);
    const machine = machines[index];
    expect(here.reduce((sum, row) => sum + row.spec.resources.cpus * 1000, 0)).toBeLessThanOrEqual(
      machine?.cpuMilli ?? 0,
    );
    expect(here.reduce((sum, row) => sum + row.spec.resources.memory, 0)).toBeLessThanOrEqual(
      machine?.memoryBytes ?? 0,
    );
    const gpus = here.flatMap((row) => row.gpus);
    expect(new Set(gpus).size).toBe(gpus.length);
    expect(machine?.gpus).toEqual(expect.arrayContaining(gpus));
    for (const row of here) {
      const asked = row.spec.resources.gpus;
      expect(asked?.uuids?.toSorted() ?? row.gpus.toSorted()).toEqual(row.gpus.toSorted());
      expect(row.gpus.length).toBe(asked?.count ?? asked?.uuids?.length ?? 0);
    }
  }
}

describe('over any history of submissions, passes, reports and kills', { timeout: 60_000 }, () => {
  it('no core, byte or GPU is promised twice, and the end drains to nothing', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(anyStep, { minLength: 10, maxLength: 60 }), async (steps) => {
        await using test = await openTestContext();
        const runners: WireRunner[] = [];
        for (const machine of machines) runners.push(await joinRunner(test, machine));
        const world: World = { test, runners, ids: [] };
        for (const step of steps) {
          await take(world, step);
          await checkAccounts(world);
        }
        for (const runner of runners) {
          await runner.sync({ appliedGeneration: 0 });
          for (const id of runner.desired.keys()) await runner.report(id, 'ended', { end: bareEnd('killed_by', 'x') });
        }
        expect((await test.ctx.db.select().from(attempts)).filter((attempt) => attempt.endedMs === null)).toEqual([]);
      }),
      { numRuns: 25 },
    );
  });
});
