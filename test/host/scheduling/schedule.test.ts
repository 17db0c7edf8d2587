import { describe, expect, it } from 'vitest';
import { schedule } from '../../../src/host/scheduling/schedule.ts';
import {
  applied,
  gpus,
  node,
  policy,
  reasonOf,
  running,
  snapshot,
  startsOf,
  task,
} from '../../support/scheduling-cluster.ts';

const full = { cpuMilli: 8000 };

describe('the order of the queue', () => {
  it('is first come, first served inside a class', () => {
    const plan = schedule(
      snapshot({
        nodes: [node('n1')],
        queued: [task('t2', full), task('t1', full)],
      }),
      policy,
    );
    expect(startsOf(plan)).toEqual({ t1: 'n1' });
  });

  it('puts a higher class before an earlier task', () => {
    const plan = schedule(
      snapshot({
        nodes: [node('n1')],
        queued: [task('t1', full), task('t2', { ...full, priority: 30 })],
      }),
      policy,
    );
    expect(startsOf(plan)).toEqual({ t2: 'n1' });
    expect(reasonOf(plan, 't1')?.code).toBe('resources');
  });

  it('goes on behind a task that can never run', () => {
    const plan = schedule(
      snapshot({ nodes: [node('n1')], queued: [task('t1', { cpuMilli: 9000 }), task('t2')] }),
      policy,
    );
    expect(startsOf(plan)).toEqual({ t2: 'n1' });
    expect(plan.held.reservations).toEqual([]);
    expect(reasonOf(plan, 't1')).toMatchObject({
      code: 'impossible',
      message: 'It asks for 9 cores, the most on any node is 8.',
    });
  });
});

describe('a broken task', () => {
  it('fails alone', () => {
    const broken = task('t1');
    Object.defineProperty(broken, 'constraints', {
      get() {
        throw new Error('no such row');
      },
    });
    const queued = [broken, task('t2', { cpuMilli: Number.NaN }), task('t3', { order: 0.5 }), task('t4')];
    const plan = schedule(snapshot({ nodes: [node('n1')], queued }), policy);
    expect(startsOf(plan)).toEqual({ t4: 'n1' });
    expect(reasonOf(plan, 't1')?.message).toBe('Planning this task failed: no such row.');
    expect(['t1', 't2', 't3'].map((id) => reasonOf(plan, id)?.code)).toEqual(Array(3).fill('internal'));
  });
});

describe('a pass that runs out of its budget', () => {
  it('says so, and the following ones go on until they have seen the tail', () => {
    const tall = Array.from({ length: 30 }, (_, i) => task(`t${i + 1}`, { cpuMilli: 6000 + i, limitMs: null }));
    let now = snapshot({
      nodes: [node('n1')],
      allocations: [running('r1', 'n1', { cpuMilli: 4000 })],
      queued: [...tall, task('t99', { cpuMilli: 500 })],
    });
    const small = { ...policy, budgetTries: 4 };
    const first = schedule(now, small);
    expect(reasonOf(first, 't1')?.code).toBe('resources');
    expect(reasonOf(first, 't99')?.code).toBe('depth');
    expect(first.nextWakeMs).toBeGreaterThan(now.nowMs);
    let passes = 0;
    while (now.queued.length > 30 && passes < 40) {
      now = applied(now, schedule(now, small));
      passes += 1;
    }
    expect(now.allocations.map(({ taskId }) => taskId)).toEqual(['r1', 't99']);
    expect(passes).toBeLessThan(20);
  });
});

describe('reasons', () => {
  it('are shared by tasks that wait for the same thing', () => {
    const queued = Array.from({ length: 50 }, (_, i) => task(`t${i}`, full));
    const allocations = [running('r1', 'n1')];
    const plan = schedule(snapshot({ nodes: [node('n1')], allocations, queued }), policy);
    expect(plan.classes).toHaveLength(1);
    expect(plan.reasons.size).toBe(50);
  });

  it('do not move with the free capacity', () => {
    const messageWith = (cpuMilli: number) =>
      reasonOf(
        schedule(
          snapshot({
            nodes: [node('n1')],
            allocations: [running('r1', 'n1', { cpuMilli })],
            queued: [task('t1', full)],
          }),
          policy,
        ),
        't1',
      )?.message;
    expect(messageWith(7000)).toBe('No ready node has 8 cores and 1 GiB free at once.');
    expect(messageWith(100)).toBe(messageWith(7000));
  });

  it('tell a cluster without nodes from one without the right ones', () => {
    const nowhere = task('t1', { constraints: { node: 'n7', labels: {} } });
    const codeOn = (nodes: ReturnType<typeof node>[]) =>
      reasonOf(schedule(snapshot({ nodes, queued: [nowhere] }), policy), 't1');
    expect(codeOn([])?.code).toBe('no_nodes');
    expect(codeOn([node('n1')])).toMatchObject({
      code: 'impossible',
      message: 'No node is named n7.',
    });
  });

  it('name the nearest miss of each cause', () => {
    const plan = schedule(
      snapshot({
        nodes: [node('n1', { gpus: gpus('n1', 4) }), node('n2', { gpus: gpus('n2', 4) }), node('n3')],
        allocations: [
          running('r1', 'n1', { gpuUuids: ['GPU-n1-0', 'GPU-n1-1'] }),
          running('r2', 'n2', { gpuUuids: ['GPU-n2-0'] }),
        ],
        queued: [task('t1', { gpus: { count: 4 } })],
      }),
      policy,
    );
    expect(reasonOf(plan, 't1')?.nodes).toEqual([
      { cause: 'gpu', nodeIds: ['n1', 'n2', 'n3'], detail: 'n2-name: gpus: needs 4, 3 of 4 free' },
    ]);
  });
});
