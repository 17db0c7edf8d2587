import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { couldEverFit, matches } from '../../../src/host/scheduling/constraints.ts';
import { explain } from '../../../src/host/scheduling/explain.ts';
import type { Plan } from '../../../src/host/scheduling/plan.ts';
import { schedule } from '../../../src/host/scheduling/schedule.ts';
import type { Snapshot, SnapshotTask } from '../../../src/host/scheduling/snapshot.ts';
import { anySnapshot } from '../../support/scheduling-arbitrary.ts';
import {
  applied,
  gib,
  gpus,
  hourMs,
  node,
  policy,
  reasonOf,
} from '../../support/scheduling-cluster.ts';

const runs = { numRuns: 400 };

interface Free {
  cpuMilli: number;
  memoryBytes: number;
  gpus: string[];
}

/** What is free by plain subtraction; a GPU given twice is given back as an error. */
function freeOn(snapshot: Snapshot): Map<string, Free> {
  const free = new Map<string, Free>();
  for (const { id, capacity } of snapshot.nodes) {
    free.set(id, { ...capacity, gpus: capacity.gpus.map(({ uuid }) => uuid) });
  }
  for (const allocation of snapshot.allocations) {
    const left = free.get(allocation.nodeId);
    if (!left) continue;
    left.cpuMilli -= allocation.cpuMilli;
    left.memoryBytes -= allocation.memoryBytes;
    for (const uuid of allocation.gpuUuids) {
      if (!left.gpus.includes(uuid))
        throw new Error(`${uuid} is taken twice on ${allocation.nodeId}`);
      left.gpus = left.gpus.filter((other) => other !== uuid);
    }
  }
  return free;
}

function wantedGpus({ gpus: wanted }: SnapshotTask): number {
  if (wanted === null) return 0;
  return 'count' in wanted ? wanted.count : wanted.uuids.length;
}

function fits(task: SnapshotTask, free: Free): boolean {
  const named = task.gpus !== null && 'uuids' in task.gpus ? task.gpus.uuids : [];
  return (
    task.cpuMilli <= free.cpuMilli &&
    task.memoryBytes <= free.memoryBytes &&
    wantedGpus(task) <= free.gpus.length &&
    named.every((uuid) => free.gpus.includes(uuid))
  );
}

function openNodes(task: SnapshotTask, snapshot: Snapshot) {
  return snapshot.nodes.filter(
    (candidate) =>
      candidate.availability === 'ready' &&
      matches(candidate, task.constraints) &&
      (task.avoid[candidate.id] ?? 0) <= snapshot.nowMs,
  );
}

function waiting(snapshot: Snapshot, plan: Plan): SnapshotTask[] {
  const started = new Set(plan.starts.map(({ taskId }) => taskId));
  return snapshot.queued.filter(({ id }) => !started.has(id));
}

function startsAlone(task: SnapshotTask, snapshot: Snapshot): boolean {
  const alone = { ...snapshot, queued: [task], held: { reservations: [] } };
  return schedule(alone, policy).starts.length === 1;
}

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

/** Whether the obstacle that the reason names is one: without it the answer is another. */
function isTrue(code: string, task: SnapshotTask, after: Snapshot): boolean {
  const codeIn = (changed: Partial<Snapshot>) =>
    reasonOf(schedule({ ...after, ...changed }, policy), task.id)?.code ?? 'starts';
  const replaced = (other: SnapshotTask) => ({
    queued: after.queued.map((queued) => (queued.id === task.id ? other : queued)),
  });
  const isEnoughInSum = () => {
    const free = freeOn(after);
    const open = openNodes(task, after).flatMap(({ id }) => free.get(id) ?? []);
    const sum = (amount: (of: Free) => number) => open.reduce((total, of) => total + amount(of), 0);
    return (
      task.cpuMilli <= sum((of) => of.cpuMilli) &&
      task.memoryBytes <= sum((of) => of.memoryBytes) &&
      wantedGpus(task) <= sum((of) => of.gpus.length)
    );
  };
  const isNamed = task.gpus !== null && 'uuids' in task.gpus && task.gpus.uuids.length > 0;
  const isFull = () =>
    !startsAlone(task, after) && startsAlone(task, { ...after, allocations: [] });
  switch (code) {
    case 'reserved':
      return startsAlone(task, after);
    case 'priority':
      return (
        codeIn({ queued: after.queued.filter(({ priority }) => priority <= task.priority) }) !==
        code
      );
    case 'fragmented':
      return isFull() && isEnoughInSum();
    case 'resources':
      return isFull() && (isNamed || !isEnoughInSum());
    case 'constraint':
      return isFull() && startsAlone({ ...task, constraints: { node: null, labels: {} } }, after);
    case 'backoff':
      return codeIn(replaced({ ...task, avoid: {} })) !== code;
    case 'node_not_ready':
      return (
        couldEverFit(task, after.nodes) &&
        codeIn({ nodes: after.nodes.map((of) => ({ ...of, availability: 'ready' as const })) }) !==
          code
      );
    case 'impossible':
      return (
        !couldEverFit(task, after.nodes) &&
        codeIn({ nodes: [...after.nodes, everything(task)] }) !== code
      );
    case 'no_nodes':
      return after.nodes.every(({ availability }) => availability === 'lost');
    default:
      return false;
  }
}

/** A node that could hold the task, whatever it asks for. */
function everything(task: SnapshotTask) {
  const uuids = task.gpus !== null && 'uuids' in task.gpus ? task.gpus.uuids : [];
  const [template] = gpus('all', 1);
  const named = template ? uuids.map((uuid) => ({ ...template, uuid })) : [];
  return node('all', {
    name: task.constraints.node ?? 'all',
    labels: task.constraints.labels,
    cpuMilli: 1_000_000,
    memoryBytes: 1000 * gib,
    gpus: [...named, ...gpus('all', 8)],
  });
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
