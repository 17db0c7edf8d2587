import { describe, expect, it } from 'vitest';
import { schedule } from '../../../src/host/scheduling/schedule.ts';
import type { SnapshotTask } from '../../../src/host/scheduling/snapshot.ts';
import {
  applied,
  gib,
  gpus,
  hourMs,
  minuteMs,
  node,
  policy,
  reasonOf,
  running,
  snapshot,
  startsOf,
  task,
} from '../../support/scheduling-cluster.ts';

const full = { cpuMilli: 8000 };

describe('the reservation', () => {
  /** Six of eight cores are taken until 12:00, the first task wants all eight. */
  const blocked = (behind: SnapshotTask[]) =>
    snapshot({
      nodes: [node('n1')],
      allocations: [running('r1', 'n1', { cpuMilli: 6000 })],
      queued: [task('t1', full), ...behind],
    });

  it('lets a task pass that ends before the first can start', () => {
    const plan = schedule(blocked([task('t2', { limitMs: 2 * hourMs })]), policy);
    expect(startsOf(plan)).toEqual({ t2: 'n1' });
    expect(plan.held.reservations).toEqual([{ pool: 'n1', taskId: 't1' }]);
  });

  it('holds back a task that would end a millisecond too late', () => {
    const plan = schedule(blocked([task('t2', { limitMs: 2 * hourMs + 1 })]), policy);
    expect(plan.starts).toEqual([]);
    expect(reasonOf(plan, 't2')?.code).toBe('reserved');
    expect(reasonOf(plan, 't2')?.nodes).toEqual([
      {
        cause: 'reserved',
        nodeIds: ['n1'],
        detail: 'n1-name: kept for t1 from 1970-01-01T12:00:00.000Z',
      },
    ]);
  });

  it('reckons a task without a limit with the default', () => {
    const behind = [task('t2', { limitMs: null })];
    expect(schedule(blocked(behind), policy).starts).toEqual([]);
    expect(startsOf(schedule(blocked(behind), { ...policy, defaultLimitMs: hourMs }))).toEqual({
      t2: 'n1',
    });
  });

  it('lets long tasks pass as long as they leave the share of the first, and no longer', () => {
    const plan = schedule(
      snapshot({
        nodes: [node('n1')],
        allocations: [running('r1', 'n1', { cpuMilli: 4000 })],
        queued: [
          task('t1', { cpuMilli: 6000 }),
          task('t2', { limitMs: null }),
          task('t3', { limitMs: null }),
          task('t4', { limitMs: null }),
        ],
      }),
      policy,
    );
    expect(startsOf(plan)).toEqual({ t2: 'n1', t3: 'n1' });
  });

  it('counts the GPUs that stay beside it', () => {
    const plan = schedule(
      snapshot({
        nodes: [node('n1', { gpus: gpus('n1', 4) })],
        allocations: [running('r1', 'n1', { gpuUuids: ['GPU-n1-0', 'GPU-n1-1'] })],
        queued: [
          task('t1', { gpus: { count: 3 } }),
          task('t2', { gpus: { count: 1 }, limitMs: null }),
          task('t3', { gpus: { count: 1 }, limitMs: null }),
        ],
      }),
      policy,
    );
    expect(startsOf(plan)).toEqual({ t2: 'n1' });
  });

  it('keeps the GPUs it asks for by name from those who would hold them too long', () => {
    const named = { uuids: ['GPU-n1-0', 'GPU-n1-2'] };
    const plan = schedule(
      snapshot({
        nodes: [node('n1', { gpus: gpus('n1', 4) })],
        allocations: [running('r1', 'n1', { gpuUuids: ['GPU-n1-0'] })],
        queued: [task('t1', { gpus: named }), task('t2', { gpus: { count: 2 }, limitMs: null })],
      }),
      policy,
    );
    expect(plan.starts).toEqual([{ taskId: 't2', nodeId: 'n1', gpuUuids: ['GPU-n1-1', 'GPU-n1-3'] }]);
  });

  it('stays with its task when an older one comes back to the queue', () => {
    const before = blocked([]);
    const held = schedule(before, policy).held;
    const back = {
      ...before,
      held,
      queued: [...before.queued, task('t0', { ...full, limitMs: null })],
    };
    expect(schedule(back, policy).held.reservations).toEqual([{ pool: 'n1', taskId: 't1' }]);
    expect(schedule({ ...back, held: { reservations: [] } }, policy).held.reservations).toEqual([
      { pool: 'n1', taskId: 't0' },
    ]);
  });

  it('goes over to a higher class that does not fit', () => {
    const before = blocked([]);
    const { held } = schedule(before, policy);
    const urgent = task('t9', { ...full, priority: 30 });
    const plan = schedule({ ...before, held, queued: [...before.queued, urgent] }, policy);
    expect(plan.held.reservations).toEqual([{ pool: 'n1', taskId: 't9' }]);
    expect(reasonOf(plan, 't1')?.code).toBe('priority');
  });

  it('is one for each pool of nodes', () => {
    const on = (id: string) => ({ ...full, constraints: { node: id, labels: {} } });
    const plan = schedule(
      snapshot({
        nodes: [node('n1'), node('n2')],
        allocations: [running('r1', 'n1'), running('r2', 'n2')],
        queued: [task('t1', on('n1')), task('t2', on('n1')), task('t3', on('n2')), task('t4', full)],
      }),
      policy,
    );
    expect(plan.held.reservations).toEqual([
      { pool: 'n1', taskId: 't1' },
      { pool: 'n2', taskId: 't3' },
    ]);
  });

  it('reckons a task past its limit to be gone after its grace', () => {
    const late = { cpuMilli: 6000, startedAtMs: 0, limitMs: hourMs, graceMs: 30 * minuteMs };
    const before = {
      ...blocked([task('t2', { limitMs: 30 * minuteMs })]),
      allocations: [running('r1', 'n1', late)],
    };
    expect(startsOf(schedule(before, policy))).toEqual({ t2: 'n1' });
    const shorter = {
      ...before,
      allocations: [running('r1', 'n1', { ...late, graceMs: 29 * minuteMs })],
    };
    expect(schedule(shorter, policy).starts).toEqual([]);
  });

  it('does not count on what runs on an unreachable node, and blocks nobody for it', () => {
    const plan = schedule(
      snapshot({
        nodes: [node('n1', { availability: 'unreachable' }), node('n2', { cpuMilli: 2000 })],
        allocations: [running('r1', 'n1', full)],
        queued: [task('t1', full), task('t2', { limitMs: null }), task('t3', { limitMs: null })],
      }),
      policy,
    );
    expect(plan.held.reservations).toEqual([]);
    expect(startsOf(plan)).toEqual({ t2: 'n2', t3: 'n2' });
    expect(reasonOf(plan, 't1')?.code).toBe('node_not_ready');
  });

  it('reckons all that ends at its time as free by then', () => {
    const three = { cpuMilli: 3000 };
    const plan = schedule(
      snapshot({
        nodes: [node('n1')],
        allocations: [running('r1', 'n1', three), running('r2', 'n1', three)],
        queued: [task('t1', { cpuMilli: 5000 }), task('t2', { limitMs: null })],
      }),
      policy,
    );
    expect(startsOf(plan)).toEqual({ t2: 'n1' });
  });

  it('keeps a GPU it asks for by name from another that asks for the same', () => {
    const named = (...numbers: number[]) => ({ uuids: numbers.map((i) => `GPU-n1-${i}`) });
    const plan = schedule(
      snapshot({
        nodes: [node('n1', { gpus: gpus('n1', 4) })],
        allocations: [running('r1', 'n1', { gpuUuids: ['GPU-n1-0'] })],
        queued: [
          task('t1', { gpus: named(0, 2) }),
          task('t2', { gpus: named(2), limitMs: null }),
          task('t3', { gpus: named(1), limitMs: null }),
        ],
      }),
      policy,
    );
    expect(startsOf(plan)).toEqual({ t3: 'n1' });
    expect(reasonOf(plan, 't2')?.code).toBe('reserved');
  });

  it('is not given for nodes of which one is in a pool already', () => {
    const plan = schedule(
      snapshot({
        nodes: [node('n1'), node('n2')],
        allocations: [running('r1', 'n1'), running('r2', 'n2')],
        queued: [task('t1', { ...full, constraints: { node: 'n2', labels: {} } }), task('t2', full)],
      }),
      policy,
    );
    expect(plan.held.reservations).toEqual([{ pool: 'n2', taskId: 't1' }]);
  });

  it('doubles the default limit of what runs past it', () => {
    const since = { cpuMilli: 6000, limitMs: null, startedAtMs: 0 };
    const before = {
      ...blocked([task('t2', { limitMs: 18 * hourMs })]),
      allocations: [running('r1', 'n1', since)],
    };
    expect(startsOf(schedule({ ...before, nowMs: 30 * hourMs }, policy))).toEqual({ t2: 'n1' });
    expect(schedule({ ...before, nowMs: 30 * hourMs + 1 }, policy).starts).toEqual([]);
  });

  it('stays on its node while others start on one that is free as early', () => {
    const before = snapshot({
      nodes: [node('n1'), node('n2', { gpus: gpus('n2', 2) })],
      allocations: [running('r1', 'n1'), running('r2', 'n2')],
      queued: [
        task('t1', { memoryBytes: 64 * gib }),
        task('t2', { cpuMilli: 0, memoryBytes: 0, gpus: { count: 2 }, limitMs: null }),
        task('t3', { limitMs: null, constraints: { node: 'n1', labels: {} } }),
      ],
    });
    const plan = schedule(before, policy);
    expect(startsOf(plan)).toEqual({ t2: 'n2' });
    expect(schedule(applied(before, plan), policy).starts).toEqual([]);
  });
});
