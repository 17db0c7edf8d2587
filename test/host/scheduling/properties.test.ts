import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { couldEverFit } from '../../../src/host/scheduling/constraints.ts';
import { explain } from '../../../src/host/scheduling/explain.ts';
import type { Plan } from '../../../src/host/scheduling/plan.ts';
import { schedule } from '../../../src/host/scheduling/schedule.ts';
import type { Snapshot, SnapshotTask } from '../../../src/host/scheduling/snapshot.ts';
import { anySnapshot } from '../../support/scheduling-arbitrary.ts';
import { applied, hourMs, policy, reasonOf } from '../../support/scheduling-cluster.ts';
import {
  fits,
  freeOn,
  isTrue,
  openNodes,
  waiting,
  wantedGpus,
  type Free,
} from '../../support/scheduling-oracle.ts';

const runs = { numRuns: 400 };

describe('any plan', () => {
  it('takes no more than there is, nor a GPU twice, after each of its starts', () => {
    fc.assert(
      fc.property(anySnapshot, (snapshot) => {
        const plan = schedule(snapshot, policy);
        for (let count = 0; count <= plan.starts.length; count += 1) {
          for (const free of freeOn(applied(snapshot, plan, count)).values()) {
            expect(free.cpuMilli).toBeGreaterThanOrEqual(0);
            expect(free.memoryBytes).toBeGreaterThanOrEqual(0);
          }
        }
      }),
      runs,
    );
  });

  it('starts a task once, on a ready node that it allows and does not avoid, with the GPUs it asked for', () => {
    fc.assert(
      fc.property(anySnapshot, (snapshot) => {
        const plan = schedule(snapshot, policy);
        expect(new Set(plan.starts.map(({ taskId }) => taskId)).size).toBe(plan.starts.length);
        for (const { taskId, nodeId, gpuUuids } of plan.starts) {
          const task = snapshot.queued.find(({ id }) => id === taskId);
          if (!task) throw new Error(`${taskId} was not queued`);
          expect(openNodes(task, snapshot).map(({ id }) => id)).toContain(nodeId);
          expect(gpuUuids).toHaveLength(wantedGpus(task));
          if (task.gpus !== null && 'uuids' in task.gpus) {
            expect([...gpuUuids].sort()).toEqual([...task.gpus.uuids].sort());
          }
        }
      }),
      runs,
    );
  });

  it('is the same for the same snapshot, in whatever order its parts come', () => {
    const shuffled = anySnapshot.chain((snapshot) =>
      fc.tuple(
        fc.constant(snapshot),
        fc.record({
          nowMs: fc.constant(snapshot.nowMs),
          nodes: shuffle(snapshot.nodes).map((nodes) => nodes.map(turned)),
          allocations: shuffle(snapshot.allocations),
          queued: shuffle(snapshot.queued),
          held: shuffle(snapshot.held.reservations).map((reservations) => ({ reservations })),
        }),
      ),
    );
    fc.assert(
      fc.property(shuffled, ([snapshot, other]) => {
        expect(asText(schedule(other, policy))).toBe(asText(schedule(snapshot, policy)));
      }),
      runs,
    );
  });

  it('leaves nothing waiting that fits on a node without a reservation', () => {
    fc.assert(
      fc.property(anySnapshot, (snapshot) => {
        const plan = schedule(snapshot, policy);
        const free = freeOn(applied(snapshot, plan));
        const reserved = plan.held.reservations.map(
          ({ taskId }) => explain(snapshot, taskId, policy)?.reservation?.nodeId,
        );
        for (const task of waiting(snapshot, plan)) {
          const open = openNodes(task, snapshot).filter(({ id }) =>
            fits(task, free.get(id) ?? noRoom),
          );
          for (const { id } of open) expect(reserved).toContain(id);
        }
      }),
      runs,
    );
  });

  it('never moves the time of a reservation later by what it starts behind it, nor lets it go', () => {
    fc.assert(
      fc.property(anySnapshot, (snapshot) => {
        const plan = schedule(snapshot, policy);
        const after = applied(snapshot, plan);
        for (const { taskId } of plan.held.reservations) {
          const before = explain(snapshot, taskId, policy);
          const again = explain(after, taskId, policy);
          expect(before?.reservation?.taskId).toBe(taskId);
          expect(again?.reservation?.taskId).toBe(taskId);
          expect(again?.reservation?.nodeId).toBe(before?.reservation?.nodeId);
          expect(again?.reservation?.shadowMs).toBeLessThanOrEqual(
            before?.reservation?.shadowMs ?? 0,
          );
        }
      }),
      runs,
    );
  });

  it('starts nothing more when it is carried out and asked again', () => {
    fc.assert(
      fc.property(anySnapshot, (snapshot) => {
        const plan = schedule(snapshot, policy);
        const again = schedule(applied(snapshot, plan), policy);
        expect(again.starts).toEqual([]);
        for (const task of waiting(snapshot, plan)) {
          expect(reasonOf(again, task.id)?.code).toBe(reasonOf(plan, task.id)?.code);
          expect(reasonOf(again, task.id)?.message).toBe(reasonOf(plan, task.id)?.message);
        }
      }),
      runs,
    );
  });

  it('gives each waiting task one reason, and takes away what it names to get another answer', () => {
    const seen = new Set<string>();
    fc.assert(
      fc.property(anySnapshot, (snapshot) => {
        const plan = schedule(snapshot, policy);
        const waits = waiting(snapshot, plan);
        expect([...plan.reasons.keys()].sort()).toEqual(waits.map(({ id }) => id).sort());
        for (const task of waits) {
          const code = reasonOf(plan, task.id)?.code ?? 'none';
          seen.add(code);
          expect({
            task: task.id,
            code,
            holds: isTrue(code, task, applied(snapshot, plan)),
          }).toEqual({
            task: task.id,
            code,
            holds: true,
          });
        }
      }),
      { ...runs, numRuns: 1500 },
    );
    expect([...seen].sort()).toEqual([
      'backoff',
      'constraint',
      'fragmented',
      'impossible',
      'no_nodes',
      'node_not_ready',
      'priority',
      'reserved',
      'resources',
    ]);
  });

  it('comes true when a task is changed as a counterfactual says', () => {
    const seen = new Set<string>();
    fc.assert(
      fc.property(anySnapshot, (snapshot) => {
        for (const task of waiting(snapshot, schedule(snapshot, policy))) {
          for (const hit of explain(snapshot, task.id, policy)?.counterfactuals ?? []) {
            seen.add(hit.change);
            const changed = changedBy(task, hit);
            const queued = snapshot.queued.map((other) => (other === task ? changed : other));
            const plan = schedule({ ...snapshot, queued }, policy);
            expect(plan.starts.map(({ taskId }) => taskId)).toContain(task.id);
          }
        }
      }),
      { ...runs, numRuns: 1000 },
    );
    expect([...seen].sort()).toEqual(['constraint', 'gpus', 'limit']);
  });
});

const noRoom: Free = { cpuMilli: -1, memoryBytes: -1, gpus: [] };

function shuffle<T>(items: readonly T[]): fc.Arbitrary<T[]> {
  return fc.shuffledSubarray([...items], { minLength: items.length });
}

function turned(from: Snapshot['nodes'][number]): Snapshot['nodes'][number] {
  return { ...from, capacity: { ...from.capacity, gpus: [...from.capacity.gpus].reverse() } };
}

function asText(plan: Plan): string {
  return JSON.stringify({ ...plan, reasons: [...plan.reasons] });
}

type Hit = NonNullable<ReturnType<typeof explain>>['counterfactuals'][number];

function changedBy(task: SnapshotTask, hit: Hit): SnapshotTask {
  if (hit.change === 'limit') return { ...task, limitMs: hit.limitMs };
  if (hit.change === 'gpus') return { ...task, gpus: { count: hit.count } };
  const { node: name, labels } = task.constraints;
  const constraints = {
    node: hit.without === 'labels' ? name : null,
    labels: hit.without === 'node' ? labels : {},
  };
  return { ...task, constraints };
}

describe('a queue with no more arrivals', () => {
  it('drains: whatever could ever fit runs in the end', () => {
    fc.assert(
      fc.property(anySnapshot, (drawn) => {
        let now: Snapshot = {
          ...drawn,
          nodes: drawn.nodes.map((of) => ({ ...of, availability: 'ready' as const })),
          queued: drawn.queued.map((task) => ({ ...task, avoid: {} })),
        };
        for (let pass = 0; pass < 40; pass += 1) {
          now = applied(now, schedule(now, policy));
          if (now.allocations.length === 0) break;
          const nowMs = Math.min(...now.allocations.map((of) => endMs(of, now.nowMs)));
          const left = now.allocations.filter((of) => endMs(of, now.nowMs) > nowMs);
          now = { ...now, nowMs, allocations: left };
        }
        expect(now.queued.filter((task) => couldEverFit(task, now.nodes))).toEqual([]);
      }),
      runs,
    );
  });
});

function endMs(of: Snapshot['allocations'][number], nowMs: number): number {
  return Math.max(nowMs + 1, (of.startedAtMs ?? nowMs) + (of.limitMs ?? 24 * hourMs));
}
