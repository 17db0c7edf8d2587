import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { explain } from '../../../src/host/scheduling/explain.ts';
import type { Plan } from '../../../src/host/scheduling/plan.ts';
import { schedule } from '../../../src/host/scheduling/schedule.ts';
import type { Snapshot } from '../../../src/host/scheduling/snapshot.ts';
import { anySnapshot } from '../../support/scheduling-arbitrary.ts';
import { applied, policy, reasonOf } from '../../support/scheduling-cluster.ts';
import {
  changedBy,
  fits,
  freeOn,
  isTrue,
  openNodes,
  usable,
  waiting,
  wantedGpus,
  type Free,
} from '../../support/scheduling-oracle.ts';

const runs = { numRuns: 400 };

describe('any plan', { timeout: 60_000 }, () => {
  it('takes no more than there is, nor a GPU twice, after each of its starts', () => {
    fc.assert(
      fc.property(anySnapshot, (snapshot) => {
        const plan = schedule(snapshot, policy);
        for (let count = 0; count <= plan.starts.length; count += 1) {
          for (const free of freeOn(applied(snapshot, plan, count)).values()) {
            expect(free.cpuMilli).toBeGreaterThanOrEqual(0);
            expect(free.memoryBytes).toBeGreaterThanOrEqual(0);
            for (const cell of free.numa) {
              expect(cell.cpuMilli).toBeGreaterThanOrEqual(0);
              expect(cell.memoryBytes).toBeGreaterThanOrEqual(0);
            }
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
          const on = snapshot.nodes.find(({ id }) => id === nodeId)?.capacity.gpus ?? [];
          const may = usable(task, on).map(({ uuid }) => uuid);
          for (const uuid of gpuUuids) expect(may).toContain(uuid);
          if (task.gpus !== null && 'uuids' in task.gpus) {
            expect([...gpuUuids].sort()).toEqual([...task.gpus.uuids].sort());
          }
        }
      }),
      runs,
    );
  });

  it('takes GPUs of one model where enough of one are free and no reservation is in the way', () => {
    fc.assert(
      fc.property(anySnapshot, (snapshot) => {
        const plan = schedule(snapshot, policy);
        if (plan.held.reservations.length > 0) return;
        const mixed: string[] = [];
        for (const [count, { taskId, nodeId, gpuUuids }] of plan.starts.entries()) {
          const task = snapshot.queued.find(({ id }) => id === taskId);
          const free = freeOn(applied(snapshot, plan, count)).get(nodeId);
          if (!task || !free || task.gpus === null || 'uuids' in task.gpus) continue;
          const models = usable(task, free.gpus).map(({ model }) => model);
          const isPossible = models.some(
            (model) => models.filter((other) => other === model).length >= gpuUuids.length,
          );
          const taken = free.gpus.filter(({ uuid }) => gpuUuids.includes(uuid));
          if (isPossible && new Set(taken.map(({ model }) => model)).size > 1) mixed.push(taskId);
        }
        expect(mixed).toEqual([]);
      }),
      runs,
    );
  });

  it('starts no more of a group than it has room for, the first of it, and caps the rest', () => {
    const seen = new Set<boolean>();
    fc.assert(
      fc.property(anySnapshot, (snapshot) => {
        const plan = schedule(snapshot, policy);
        for (const room of [1, 2]) {
          const members = snapshot.queued.filter(({ group }) => group?.id === `g${room}`);
          const capped = members.filter(({ id }) => reasonOf(plan, id)?.code === 'array_cap');
          expect(capped).toHaveLength(Math.max(0, members.length - room));
          for (const { taskId } of plan.held.reservations) {
            expect(capped.map(({ id }) => id)).not.toContain(taskId);
          }
          seen.add(capped.length > 0);
        }
        const isOpen = ({ id }: { id: string }) => reasonOf(plan, id)?.code !== 'array_cap';
        const without = schedule({ ...snapshot, queued: snapshot.queued.filter(isOpen) }, policy);
        expect(without.starts).toEqual(plan.starts);
        expect(without.held).toEqual(plan.held);
      }),
      runs,
    );
    expect(seen.size).toBe(2);
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
          if (reasonOf(plan, task.id)?.code === 'array_cap') continue;
          const open = openNodes(task, snapshot).filter(({ id }) => fits(task, free.get(id) ?? noRoom));
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
          expect(again?.reservation?.shadowMs).toBeLessThanOrEqual(before?.reservation?.shadowMs ?? 0);
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
      'array_cap',
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
            seen.add(hit.change === 'constraint' ? hit.without : hit.change);
            const changed = changedBy(task, hit);
            const queued = snapshot.queued.map((other) => (other === task ? changed : other));
            const plan = schedule({ ...snapshot, queued }, policy);
            expect(plan.starts.map(({ taskId }) => taskId)).toContain(task.id);
          }
        }
      }),
      { ...runs, numRuns: 1000 },
    );
    expect([...seen].sort()).toEqual([
      'GPU memory',
      'GPU model',
      'NUMA node',
      'gpus',
      'labels',
      'limit',
      'node',
      'node and labels',
    ]);
  });
});

const noRoom: Free = { cpuMilli: -1, memoryBytes: -1, gpus: [], numa: [] };

function shuffle<T>(items: readonly T[]): fc.Arbitrary<T[]> {
  return fc.shuffledSubarray([...items], { minLength: items.length });
}

function turned(from: Snapshot['nodes'][number]): Snapshot['nodes'][number] {
  return { ...from, capacity: { ...from.capacity, gpus: [...from.capacity.gpus].reverse() } };
}

function asText(plan: Plan): string {
  return JSON.stringify({ ...plan, reasons: [...plan.reasons] });
}
