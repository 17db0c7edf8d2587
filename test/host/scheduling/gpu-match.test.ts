import { describe, expect, it } from 'vitest';
import { counterfactualText } from '../../../src/host/scheduling/counterfactual-text.ts';
import { explain } from '../../../src/host/scheduling/explain.ts';
import { schedule } from '../../../src/host/scheduling/schedule.ts';
import type { Snapshot } from '../../../src/host/scheduling/snapshot.ts';
import {
  gib,
  gpus,
  node,
  policy,
  reasonOf,
  running,
  snapshot,
  startsOf,
  task,
} from '../../support/scheduling-cluster.ts';

function details(of: Partial<Snapshot>, taskId: string): string[] {
  const nodes = explain(snapshot(of), taskId, policy)?.nodes ?? [];
  return nodes.map(({ nodeId, cause, detail }) => `${nodeId} ${cause}: ${detail}`);
}

describe('a request for GPUs of a model', () => {
  it('takes only those, whatever the letter case', () => {
    const plan = schedule(
      snapshot({
        nodes: [node('n1', { gpus: gpus('n1', 4, ['T4', 'A100']) })],
        queued: [task('t1', { gpus: { count: 2, model: 'a1*' } })],
      }),
      policy,
    );
    expect(plan.starts[0]?.gpuUuids).toEqual(['GPU-n1-1', 'GPU-n1-3']);
  });

  it('goes where the fewest that match are left, not where the fewest of all are', () => {
    const nodes = [
      node('n1', { gpus: gpus('n1', 2) }),
      node('n2', { gpus: gpus('n2', 4, ['A100', 'T4', 'T4', 'T4']) }),
    ];
    const queued = [task('t1', { gpus: { count: 1, model: 'A100' } })];
    expect(startsOf(schedule(snapshot({ nodes, queued }), policy))).toEqual({ t1: 'n2' });
  });

  it('says what is nearest, and what other GPUs there are', () => {
    const of = {
      nodes: [
        node('n1', { gpus: gpus('n1', 4, ['A100', 'T4', 'T4', 'T4']) }),
        node('n2', { gpus: gpus('n2', 3) }),
        node('n3'),
      ],
      allocations: [running('r1', 'n2', { gpuUuids: ['GPU-n2-0', 'GPU-n2-1'] })],
      queued: [task('t1', { gpus: { count: 2, model: '*A100*' } })],
    };
    expect(details(of, 't1')).toEqual([
      'n1 gpu: gpus: needs 2 of *A100*, has 1 (3 other GPUs)',
      'n2 gpu: gpus: needs 2 of *A100*, 1 of 3 free',
      'n3 gpu: gpus: needs 2 of *A100*, has 0',
    ]);
    expect(reasonOf(schedule(snapshot(of), policy), 't1')?.message).toBe(
      'There is room for 2 GPUs of *A100*, 1 core and 1 GiB, but not on any one ready node.',
    );
  });

  it('counts those that match for what could ever run', () => {
    const queued = [
      task('t1', { gpus: { count: 3, model: 'A100', minMemoryBytes: 30 * gib } }),
      task('t2', { gpus: { count: 1, minMemoryBytes: 80 * gib } }),
    ];
    const nodes = [node('n1', { gpus: gpus('n1', 4, ['A100', 'T4']) })];
    const plan = schedule(snapshot({ nodes, queued }), policy);
    expect(reasonOf(plan, 't1')).toMatchObject({
      code: 'impossible',
      message: 'It asks for 3 GPUs of A100 with at least 30 GiB, the most on any node is 2.',
    });
    expect(reasonOf(plan, 't2')?.code).toBe('impossible');
  });

  it('says when another model would do', () => {
    const of = {
      nodes: [node('n1', { gpus: gpus('n1', 2, ['A100', 'T4']) })],
      allocations: [running('r1', 'n1', { gpuUuids: ['GPU-n1-0'] })],
      queued: [task('t1', { gpus: { count: 1, model: 'A100' } })],
    };
    expect(explain(snapshot(of), 't1', policy)?.counterfactuals.map(counterfactualText)).toEqual([
      'Without its GPU model it would start now on n1-name.',
    ]);
  });

  it('keeps its GPUs from long work that others could do for, as long as there are others', () => {
    const one = { gpus: { count: 1 }, limitMs: null };
    const plan = schedule(
      snapshot({
        nodes: [node('n1', { gpus: gpus('n1', 4, ['A100', 'T4']) })],
        allocations: [running('r1', 'n1', { gpuUuids: ['GPU-n1-0'] })],
        queued: [task('t1', { gpus: { count: 2, model: 'A100' } }), task('t2', one), task('t3', one), task('t4', one)],
      }),
      policy,
    );
    expect(plan.starts.map(({ taskId, gpuUuids }) => [taskId, ...gpuUuids])).toEqual([
      ['t2', 'GPU-n1-1'],
      ['t3', 'GPU-n1-3'],
    ]);
    expect(plan.held.reservations).toEqual([{ pool: 'n1', taskId: 't1' }]);
  });
});

describe('a request for a number of GPUs', () => {
  it('takes them of one model where it can, the lesser one of two that are as many', () => {
    const taken = (models: Parameters<typeof gpus>[2], count: number) =>
      schedule(
        snapshot({
          nodes: [node('n1', { gpus: gpus('n1', 4, models) })],
          queued: [task('t1', { gpus: { count } })],
        }),
        policy,
      ).starts[0]?.gpuUuids;
    expect(taken(['A100', 'T4'], 2)).toEqual(['GPU-n1-1', 'GPU-n1-3']);
    expect(taken(['A100', 'A100', 'A100', 'T4'], 2)).toEqual(['GPU-n1-0', 'GPU-n1-1']);
    expect(taken(['A100', 'T4'], 3)).toHaveLength(3);
  });
});
