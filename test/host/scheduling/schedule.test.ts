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
    expect(plan.starts).toEqual([
      { taskId: 't2', nodeId: 'n1', gpuUuids: ['GPU-n1-1', 'GPU-n1-3'] },
    ]);
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
        queued: [
          task('t1', on('n1')),
          task('t2', on('n1')),
          task('t3', on('n2')),
          task('t4', full),
        ],
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
});

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
        queued: [
          task('t1', { cpuMilli: 5000 }),
          task('t2', { cpuMilli: 5000 }),
          task('t3', { cpuMilli: 5000 }),
        ],
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
        queued: [
          task('t1', { cpuMilli: 0, memoryBytes: 0 }),
          task('t2', { cpuMilli: 1, memoryBytes: 0 }),
        ],
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
        queued: [
          task('t1', to('n2')),
          task('t2', to('n1-name')),
          task('t3', to(null, { disk: 'nvme' })),
        ],
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
    const plan = schedule(
      snapshot({ nodes: [node('n1'), node('n2')], queued: [avoiding] }),
      policy,
    );
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

describe('a broken task', () => {
  it('fails alone', () => {
    const broken = task('t1');
    Object.defineProperty(broken, 'constraints', {
      get() {
        throw new Error('no such row');
      },
    });
    const queued = [
      broken,
      task('t2', { cpuMilli: Number.NaN }),
      task('t3', { order: 0.5 }),
      task('t4'),
    ];
    const plan = schedule(snapshot({ nodes: [node('n1')], queued }), policy);
    expect(startsOf(plan)).toEqual({ t4: 'n1' });
    expect(reasonOf(plan, 't1')?.message).toBe('Planning this task failed: no such row.');
    expect(['t1', 't2', 't3'].map((id) => reasonOf(plan, id)?.code)).toEqual(
      Array(3).fill('internal'),
    );
  });
});

describe('a pass that runs out of its budget', () => {
  it('says so, and the following ones go on until they have seen the tail', () => {
    const tall = Array.from({ length: 30 }, (_, i) =>
      task(`t${i + 1}`, { cpuMilli: 6000 + i, limitMs: null }),
    );
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
        nodes: [
          node('n1', { gpus: gpus('n1', 4) }),
          node('n2', { gpus: gpus('n2', 4) }),
          node('n3'),
        ],
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
