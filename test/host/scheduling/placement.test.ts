import { describe, expect, it } from 'vitest';
import { schedule } from '../../../src/host/scheduling/schedule.ts';
import {
  gib,
  gpus,
  hourMs,
  node,
  policy,
  reasonOf,
  running,
  snapshot,
  startsOf,
  task,
} from '../../support/scheduling-cluster.ts';

const full = { cpuMilli: 8000 };

describe('placement', () => {
  it('packs GPU work where the fewest GPUs are left', () => {
    const plan = schedule(
      snapshot({
        nodes: [node('n1', { gpus: gpus('n1', 4) }), node('n2', { gpus: gpus('n2', 4) })],
        allocations: [running('r1', 'n2', { gpuUuids: ['GPU-n2-0'] })],
        queued: [task('t1', { gpus: { count: 1 } }), task('t2', { gpus: { count: 4 } })],
      }),
      policy,
    );
    expect(plan.starts).toEqual([
      { taskId: 't1', nodeId: 'n2', gpuUuids: ['GPU-n2-1'] },
      { taskId: 't2', nodeId: 'n1', gpuUuids: gpus('n1', 4).map(({ uuid }) => uuid) },
    ]);
  });

  it('spreads the rest over nodes without GPUs before it touches one with', () => {
    const plan = schedule(
      snapshot({
        nodes: [node('n1', { gpus: gpus('n1', 4) }), node('n2'), node('n3')],
        queued: [task('t1', { cpuMilli: 5000 }), task('t2', { cpuMilli: 5000 }), task('t3', { cpuMilli: 5000 })],
      }),
      policy,
    );
    expect(startsOf(plan)).toEqual({ t1: 'n2', t2: 'n3', t3: 'n1' });
  });

  it('gives CPU work the cores that free GPUs do not need first', () => {
    const busy = { cpuMilli: 0, gpuUuids: gpus('n2', 2).map(({ uuid }) => uuid) };
    const plan = schedule(
      snapshot({
        nodes: [node('n1', { gpus: gpus('n1', 2) }), node('n2', { gpus: gpus('n2', 2) })],
        allocations: [running('r1', 'n2', busy)],
        queued: [task('t1'), task('t2')],
      }),
      policy,
    );
    expect(startsOf(plan)).toEqual({ t1: 'n2', t2: 'n2' });
  });

  it('takes the lowest of equal nodes', () => {
    const two = [node('n2', { gpus: gpus('n2', 1) }), node('n1', { gpus: gpus('n1', 1) })];
    const queued = [task('t1', { gpus: { count: 1 } })];
    expect(startsOf(schedule(snapshot({ nodes: two, queued }), policy))).toEqual({ t1: 'n1' });
  });

  it('starts a task that asks for nothing even where there is less than nothing left', () => {
    const plan = schedule(
      snapshot({
        nodes: [node('n1')],
        allocations: [running('r1', 'n1', { cpuMilli: 9000, memoryBytes: 65 * gib })],
        queued: [task('t1', { cpuMilli: 0, memoryBytes: 0 }), task('t2', { cpuMilli: 1, memoryBytes: 0 })],
      }),
      policy,
    );
    expect(startsOf(plan)).toEqual({ t1: 'n1' });
  });

  it('finds a node by id or by name, and by its labels', () => {
    const to = (name: string | null, labels = {}) => ({ constraints: { node: name, labels } });
    const plan = schedule(
      snapshot({
        nodes: [node('n1'), node('n2', { labels: { disk: 'nvme' } })],
        queued: [task('t1', to('n2')), task('t2', to('n1-name')), task('t3', to(null, { disk: 'nvme' }))],
      }),
      policy,
    );
    expect(startsOf(plan)).toEqual({ t1: 'n2', t2: 'n1', t3: 'n2' });
  });
});

describe('nodes that are not ready', () => {
  it.each(['suspect', 'unreachable', 'lost', 'draining', 'cordoned', 'unsynced'] as const)(
    'gives a node that is %s nothing',
    (availability) => {
      const plan = schedule(
        snapshot({ nodes: [node('n1', { availability }), node('n2', full)], queued: [task('t1')] }),
        policy,
      );
      expect(startsOf(plan)).toEqual({ t1: 'n2' });
    },
  );
});

describe('a failed start', () => {
  const avoiding = task('t1', { avoid: { n1: 10 * hourMs + 1 } });

  it('sends the task to another node', () => {
    const plan = schedule(snapshot({ nodes: [node('n1'), node('n2')], queued: [avoiding] }), policy);
    expect(startsOf(plan)).toEqual({ t1: 'n2' });
  });

  it('makes it wait where there is no other, blocks nobody, and asks for a pass when the wait is over', () => {
    const before = snapshot({ nodes: [node('n1')], queued: [avoiding, task('t2', full)] });
    const plan = schedule(before, policy);
    expect(startsOf(plan)).toEqual({ t2: 'n1' });
    expect(reasonOf(plan, 't1')?.code).toBe('backoff');
    expect(plan.nextWakeMs).toBe(10 * hourMs + 1);
    const over = schedule({ ...before, nowMs: 10 * hourMs + 1 }, policy);
    expect(startsOf(over)).toEqual({ t1: 'n1' });
    expect(over.nextWakeMs).toBeNull();
  });
});
