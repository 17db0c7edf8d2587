import { describe, expect, it } from 'vitest';
import { explain } from '../../../src/host/scheduling/explain.ts';
import { schedule } from '../../../src/host/scheduling/schedule.ts';
import {
  applied,
  node,
  policy,
  reasonOf,
  running,
  snapshot,
  startsOf,
  task,
} from '../../support/scheduling-cluster.ts';

const full = { cpuMilli: 8000 };

describe('a group', () => {
  it('starts its first as far as it has room, and tells the others', () => {
    const group = { id: 'a', room: 2 };
    const queued = [3, 1, 2, 4].map((order) => task(`t${order}`, { group }));
    const before = snapshot({ nodes: [node('n1')], queued });
    const plan = schedule(before, policy);
    expect(startsOf(plan)).toEqual({ t1: 'n1', t2: 'n1' });
    expect(reasonOf(plan, 't3')).toEqual({
      code: 'array_cap',
      message: 'Its array has no room for more members at a time.',
      advice: 'As many members of its array run as were asked for together.',
      nodes: [],
    });
    expect(plan.reasons.get('t3')).toBe(plan.reasons.get('t4'));
    expect(schedule(applied(before, plan), policy).starts).toEqual([]);
  });

  it('has no room when more run than may', () => {
    const queued = [task('t1', { group: { id: 'a', room: -1 } })];
    const plan = schedule(snapshot({ nodes: [node('n1')], queued }), policy);
    expect(reasonOf(plan, 't1')?.code).toBe('array_cap');
  });

  it('blocks nobody with what it has no room for, and stands before nobody', () => {
    const group = { id: 'a', room: 0 };
    const of = snapshot({
      nodes: [node('n1')],
      allocations: [running('r1', 'n1')],
      queued: [task('t1', { ...full, group, priority: 30 }), task('t2', { limitMs: null }), task('t3', full)],
    });
    const plan = schedule(of, policy);
    expect(startsOf(plan)).toEqual({ t2: 'n1' });
    expect(plan.held.reservations).toEqual([{ pool: 'n1', taskId: 't3' }]);
    expect(explain(of, 't3', policy)).toMatchObject({ position: 1, ahead: [] });
    expect(explain(of, 't1', policy)).toMatchObject({ position: 1, counterfactuals: [] });
  });

  it('gives way in its reservation to a member that comes before', () => {
    const group = { id: 'a', room: 1 };
    const of = snapshot({
      nodes: [node('n1')],
      allocations: [running('r1', 'n1')],
      queued: [task('t2', { ...full, group })],
    });
    const { held } = schedule(of, policy);
    const both = { ...of, held, queued: [...of.queued, task('t1', { ...full, group })] };
    const plan = schedule(both, policy);
    expect(plan.held.reservations).toEqual([{ pool: 'n1', taskId: 't1' }]);
    expect(reasonOf(plan, 't2')?.code).toBe('array_cap');
  });
});

describe('tasks that are not in the queue yet', () => {
  it('wake the pass when the first comes into it', () => {
    const plan = schedule({ ...snapshot({}), nextEligibleMs: 77 }, policy);
    expect(plan.nextWakeMs).toBe(77);
  });
});
