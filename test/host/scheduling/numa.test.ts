import { describe, expect, it } from 'vitest';
import { counterfactualText } from '../../../src/host/scheduling/counterfactual-text.ts';
import { explain } from '../../../src/host/scheduling/explain.ts';
import { schedule } from '../../../src/host/scheduling/schedule.ts';
import type { Snapshot } from '../../../src/host/scheduling/snapshot.ts';
import {
  gib,
  gpus,
  halves,
  hourMs,
  node,
  policy,
  reasonOf,
  running,
  snapshot,
  startsOf,
  task,
} from '../../support/scheduling-cluster.ts';

/** 8 cores and 64 GiB in two halves, four GPUs, two at each. */
const split = (id: string) => node(id, { gpus: gpus(id, 4), numa: halves(8000, 64 * gib) });

function explained(of: Partial<Snapshot>, taskId: string) {
  const found = explain(snapshot(of), taskId, policy);
  return {
    nodes: found?.nodes.map(({ nodeId, cause, detail }) => `${nodeId} ${cause}: ${detail}`),
    hints: found?.counterfactuals.map(counterfactualText),
  };
}

describe('a task that is bound to a NUMA node', () => {
  it('has its GPUs there', () => {
    const queued = [task('t1', { numaNode: 1, gpus: { count: 1 } })];
    const plan = schedule(snapshot({ nodes: [split('n1')], queued }), policy);
    expect(plan.starts).toEqual([{ taskId: 't1', nodeId: 'n1', gpuUuids: ['GPU-n1-2'] }]);
  });

  it('finds there what other bound ones leave; those bound to none count on the whole', () => {
    const queued = [task('t1', { numaNode: 0, cpuMilli: 3000 })];
    const on = (numaNode: number | null) =>
      snapshot({
        nodes: [split('n1')],
        allocations: [running('r1', 'n1', { cpuMilli: 2000, numaNode })],
        queued,
      });
    expect(startsOf(schedule(on(1), policy))).toEqual({ t1: 'n1' });
    expect(startsOf(schedule(on(null), policy))).toEqual({ t1: 'n1' });
    expect(startsOf(schedule(on(0), policy))).toEqual({});
  });

  it('is told what is in its way, and whether it would start without', () => {
    const of = {
      nodes: [split('n1'), node('n2'), node('n3', { numa: halves(2000, 64 * gib) })],
      allocations: [running('r1', 'n1', { cpuMilli: 2000, numaNode: 0 })],
      queued: [task('t1', { numaNode: 0, cpuMilli: 3000 })],
    };
    expect(explained(of, 't1')).toEqual({
      nodes: [
        'n1 numa: NUMA node 0: cpus: needs 3, 2 of 4 free',
        'n2 numa: tells no NUMA nodes',
        'n3 numa: NUMA node 0: cpus: needs 3, has 1',
      ],
      hints: ['Without its NUMA node it would start now on n2-name.'],
    });
    const named = { queued: [task('t1', { numaNode: 7 })] };
    expect(explained({ ...of, ...named }, 't1').nodes).toEqual([
      'n1 numa: has no NUMA node 7',
      'n2 numa: tells no NUMA nodes',
      'n3 numa: has no NUMA node 7',
    ]);
    expect(reasonOf(schedule(snapshot({ ...of, ...named }), policy), 't1')?.code).toBe('impossible');
  });

  it('does not take a GPU by name that is elsewhere', () => {
    const gpu = { gpus: { uuids: ['GPU-n1-0'] } };
    const queued = [task('t1', { ...gpu, numaNode: 1 }), task('t2', { ...gpu, numaNode: 0 })];
    const plan = schedule(snapshot({ nodes: [split('n1')], queued }), policy);
    expect(startsOf(plan)).toEqual({ t2: 'n1' });
    expect(reasonOf(plan, 't1')?.nodes[0]?.detail).toBe(
      'n1-name: has not all the GPUs asked for by name on NUMA node 1',
    );
  });

  it('finds the GPUs of a machine with one NUMA node whose driver does not say where they are', () => {
    const somewhere = gpus('n1', 1).map((gpu) => ({ ...gpu, numaNode: null }));
    const one = [{ node: 0, cpuMilli: 8000, memoryBytes: 64 * gib }];
    const queued = [task('t1', { numaNode: 0, gpus: { count: 1 } })];
    const on = (numa: typeof one) =>
      schedule(snapshot({ nodes: [node('n1', { gpus: somewhere, numa })], queued }), policy);
    expect(startsOf(on(one))).toEqual({ t1: 'n1' });
    expect(startsOf(on([...one, { node: 1, cpuMilli: 1, memoryBytes: 1 }]))).toEqual({});
  });

  it('keeps its NUMA node from long work bound there, not from the rest', () => {
    const plan = schedule(
      snapshot({
        nodes: [split('n1')],
        allocations: [running('r1', 'n1', { cpuMilli: 2000, numaNode: 0 })],
        queued: [
          task('t1', { cpuMilli: 4000, numaNode: 0 }),
          task('t2', { numaNode: 0, limitMs: 3 * hourMs }),
          task('t3', { numaNode: 0, limitMs: 2 * hourMs }),
          task('t4', { numaNode: 1, limitMs: null }),
          task('t5', { limitMs: null }),
        ],
      }),
      policy,
    );
    expect(startsOf(plan)).toEqual({ t3: 'n1', t4: 'n1', t5: 'n1' });
    expect(reasonOf(plan, 't2')?.code).toBe('reserved');
  });
});
