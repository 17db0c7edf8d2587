import { describe, expect, it } from 'vitest';
import { counterfactualText } from '../../../src/host/scheduling/counterfactual-text.ts';
import { explain } from '../../../src/host/scheduling/explain.ts';
import type { Snapshot } from '../../../src/host/scheduling/snapshot.ts';
import { gpus, hourMs, node, policy, running, snapshot, task } from '../../support/scheduling-cluster.ts';

function explained(of: Partial<Snapshot>, taskId: string) {
  const explanation = explain(snapshot(of), taskId, policy);
  if (!explanation) throw new Error(`${taskId} is not queued`);
  return explanation;
}

function hints(of: Partial<Snapshot>, taskId: string): string[] {
  return explained(of, taskId).counterfactuals.map(counterfactualText);
}

describe('explain', () => {
  it('says nothing of a task that is not queued', () => {
    expect(explain(snapshot({}), 't1', policy)).toBeNull();
  });

  it('says where a task is about to start', () => {
    const { start, reason, position } = explained({ nodes: [node('n1')], queued: [task('t1')] }, 't1');
    expect({ start, reason, position }).toEqual({
      start: { taskId: 't1', nodeId: 'n1', gpuUuids: [] },
      reason: null,
      position: 0,
    });
  });

  it('says for each node what is against it', () => {
    const { nodes } = explained(
      {
        nodes: [
          node('n1', { labels: { rack: 'a' }, gpus: gpus('n1', 4) }),
          node('n2', { labels: { rack: 'b' } }),
          node('n3', { labels: { rack: 'a' }, availability: 'cordoned', gpus: gpus('n3', 4) }),
          node('n4', { labels: { rack: 'a' }, availability: 'unsynced', gpus: gpus('n4', 4) }),
          node('n5', { labels: { rack: 'a' }, gpus: gpus('n5', 4) }),
          node('n6', { labels: { rack: 'a' }, gpus: gpus('n6', 4), cpuMilli: 500 }),
          node('n7', { labels: { rack: 'a' }, gpus: gpus('n7', 4) }),
        ],
        allocations: [running('r1', 'n1', { gpuUuids: ['GPU-n1-3'] }), running('r2', 'n7', { cpuMilli: 7500 })],
        queued: [
          task('t1', {
            gpus: { count: 4 },
            constraints: { node: null, labels: { rack: 'a' } },
            avoid: { n5: 11 * hourMs },
          }),
        ],
      },
      't1',
    );
    expect(nodes.map(({ name, cause, detail }) => `${name} ${cause}: ${detail}`)).toEqual([
      'n1-name gpu: gpus: needs 4, 3 of 4 free',
      'n2-name label: lacks rack=a',
      'n3-name cordoned: is cordoned',
      'n4-name not_ready: has not synced yet',
      'n5-name backoff: a start failed, avoided until 1970-01-01T11:00:00.000Z',
      'n6-name cpu: cpus: needs 1, has 0.5',
      'n7-name cpu: cpus: needs 1, 0.5 of 8 free',
    ]);
  });

  it('says who holds a GPU that is asked for by name', () => {
    const { nodes } = explained(
      {
        nodes: [node('n1', { gpus: gpus('n1', 2) })],
        allocations: [running('r1', 'n1', { gpuUuids: ['GPU-n1-1'] })],
        queued: [task('t1', { gpus: { uuids: ['GPU-n1-1'] } })],
      },
      't1',
    );
    expect(nodes).toEqual([{ nodeId: 'n1', name: 'n1-name', cause: 'gpu_busy', detail: 'GPU-n1-1 is taken by r1' }]);
  });

  it('counts the tasks that wait before it, not those that start', () => {
    const queued = [
      task('t1'),
      task('t2', { cpuMilli: 8000 }),
      task('t3', { cpuMilli: 8000 }),
      task('t4', { cpuMilli: 8000, priority: 30 }),
    ];
    const of = { nodes: [node('n1')], allocations: [running('r1', 'n1')], queued };
    expect(explained(of, 't3')).toMatchObject({ position: 3, ahead: ['t4', 't2'] });
    expect(explained(of, 't4')).toMatchObject({ position: 1, ahead: [] });
  });

  it('says of the first when it can start at the latest, and of the others whom they wait for', () => {
    const of = {
      nodes: [node('n1')],
      allocations: [running('r1', 'n1')],
      queued: [task('t1', { cpuMilli: 8000 }), task('t2', { limitMs: 3 * hourMs })],
    };
    const reservation = { taskId: 't1', nodeId: 'n1', shadowMs: 12 * hourMs };
    expect(explained(of, 't1').reservation).toEqual(reservation);
    expect(explained(of, 't2').reservation).toEqual(reservation);
  });

  it('tells what no node can ever hold', () => {
    const of = {
      nodes: [node('n1', { availability: 'cordoned' })],
      queued: [task('t1'), task('t2', { cpuMilli: 9000 })],
    };
    expect(explained(of, 't1').impossible).toBe(false);
    expect(explained(of, 't2').impossible).toBe(true);
  });

  it('answers for a task that cannot be read', () => {
    const { reason } = explained({ queued: [task('t1', { cpuMilli: -1 })] }, 't1');
    expect(reason?.code).toBe('internal');
  });
});

describe('what would start it now', () => {
  it('is the longest limit that ends before the reservation', () => {
    const of = {
      nodes: [node('n1')],
      allocations: [running('r1', 'n1')],
      queued: [task('t1', { cpuMilli: 8000 }), task('t2', { limitMs: null })],
    };
    expect(hints(of, 't2')).toEqual(['With a time limit of at most 2 h it would start now on n1-name.']);
  });

  it('is the most GPUs that are free on one node, also for the one that holds the reservation', () => {
    const of = {
      nodes: [node('n1', { gpus: gpus('n1', 4) })],
      allocations: [running('r1', 'n1', { gpuUuids: ['GPU-n1-0'] })],
      queued: [task('t1', { gpus: { count: 4 }, limitMs: null })],
    };
    expect(hints(of, 't1')).toEqual(['With 3 GPUs it would start now on n1-name.']);
  });

  it('is going without the constraint that keeps it from a free node', () => {
    const of = (labels: Record<string, string>) => ({
      nodes: [node('n1'), node('n2', { labels: { rack: 'b' } })],
      allocations: [running('r1', 'n1', { cpuMilli: 8000 })],
      queued: [task('t1', { constraints: { node: 'n1', labels } })],
    });
    expect(hints(of({}), 't1')).toEqual(['Without its node constraint it would start now on n2-name.']);
    expect(hints(of({ rack: 'a' }), 't1')).toEqual([
      'Without its node and label constraints it would start now on n2-name.',
    ]);
  });

  it('is not said when it would not start', () => {
    const of = {
      nodes: [node('n1', { gpus: gpus('n1', 2) }), node('n2')],
      allocations: [running('r1', 'n1', { cpuMilli: 8000 }), running('r2', 'n2', { cpuMilli: 8000 })],
      queued: [task('t1', { gpus: { count: 2 }, constraints: { node: 'n1', labels: {} } })],
    };
    expect(hints(of, 't1')).toEqual([]);
  });
});
