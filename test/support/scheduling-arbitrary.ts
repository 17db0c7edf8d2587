import fc from 'fast-check';
import type { LabelCondition } from '../../src/protocol/label-expression.ts';
import type {
  GpuRequest,
  Snapshot,
  SnapshotAllocation,
  SnapshotNode,
  SnapshotTask,
} from '../../src/host/scheduling/snapshot.ts';
import { gib, gpus, halves, hourMs, minuteMs, node, running, snapshot, task, type Card } from './scheduling-cluster.ts';

const availability = fc.oneof(
  { weight: 8, arbitrary: fc.constant('ready' as const) },
  {
    weight: 1,
    arbitrary: fc.constantFrom('suspect', 'unreachable', 'lost', 'draining', 'cordoned', 'unsynced'),
  },
);

const labels = fc.oneof(
  fc.constant<Record<string, string>>({}),
  fc.constantFrom<Record<string, string>>({ rack: 'a' }, { rack: 'b' }, { rack: 'a', disk: 'nvme' }),
);

const models = fc.constantFrom<Card[]>(['A100'], ['T4'], ['A100', 'T4'], ['A100', 'T4', 'A100-80']);
const offers = fc.constantFrom([], ['mount:data'], ['mount:data', 'mount:data:rw', 'privileged']);

function nodeArbitrary(index: number): fc.Arbitrary<SnapshotNode> {
  return fc
    .record({
      availability,
      labels,
      cores: fc.integer({ min: 0, max: 8 }),
      memory: fc.integer({ min: 0, max: 8 }),
      cards: fc.constantFrom(0, 0, 1, 2, 4),
      models,
      offers,
      isNuma: fc.boolean(),
    })
    .map(({ cores, memory, cards, models: kinds, isNuma, ...rest }) =>
      node(`n${index}`, {
        ...rest,
        cpuMilli: 1000 * cores,
        memoryBytes: gib * memory,
        gpus: gpus(`n${index}`, cards, kinds),
        ...(isNuma ? { numa: halves(1000 * cores, gib * memory) } : {}),
      }),
    );
}

const duration = fc.integer({ min: 1, max: 12 }).map((quarters) => quarters * 15 * minuteMs);
const limit = fc.option(duration, { freq: 5 });

const place = fc.oneof(
  { weight: 5, arbitrary: fc.constant({ node: null, labels: {} }) },
  {
    weight: 1,
    arbitrary: fc.record({
      node: fc.option(fc.constantFrom('n0', 'n1-name', 'nowhere')),
      labels,
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      node: fc.constant(null),
      labels: fc.constant({}),
      conditions: fc.constantFrom<LabelCondition[]>(
        [],
        [{ key: 'rack', is: 'in', values: ['a', 'c'] }],
        [
          { key: 'disk', is: 'absent' },
          { key: 'rack', is: 'present' },
        ],
      ),
      needs: fc.constantFrom(['mount:data'], ['mount:data:rw'], ['privileged', 'mount:data'], []),
    }),
  },
);

/** Few, so that tasks meet in them; a group has its number as its room. */
const group = fc.constantFrom(1, 2).map((room) => ({ id: `g${room}`, room }));

const filter = fc.oneof(
  { weight: 2, arbitrary: fc.constant({}) },
  {
    weight: 1,
    arbitrary: fc.constantFrom<Partial<GpuRequest>>(
      { model: 'a100*' },
      { model: 'T?' },
      { model: '*', minMemoryBytes: 20 * gib },
      { minMemoryBytes: 80 * gib },
    ),
  },
);

const numaNode = fc.oneof({ weight: 6, arbitrary: fc.constant(null) }, { weight: 1, arbitrary: fc.nat({ max: 2 }) });

function taskArbitrary(index: number): fc.Arbitrary<SnapshotTask> {
  return fc
    .record({
      order: fc.constant(index),
      priority: fc.constantFrom(10, 20, 20, 30),
      cores: fc.integer({ min: 0, max: 5 }),
      memory: fc.integer({ min: 0, max: 5 }),
      gpus: fc.oneof(
        { weight: 3, arbitrary: fc.constant(null) },
        {
          weight: 4,
          arbitrary: fc.tuple(fc.integer({ min: 0, max: 5 }), filter).map(([count, by]) => ({ count, ...by })),
        },
        {
          weight: 1,
          arbitrary: fc.subarray(['GPU-n0-0', 'GPU-n0-1', 'GPU-n1-0', 'GPU-n2-3']).map((uuids) => ({ uuids })),
        },
      ),
      numaNode,
      group: fc.option(group, { freq: 4, nil: undefined }),
      constraints: place,
      limitMs: limit,
      avoid: fc.oneof(
        { weight: 6, arbitrary: fc.constant({}) },
        {
          weight: 1,
          arbitrary: fc.dictionary(fc.constantFrom('n0', 'n1'), fc.constantFrom(9 * hourMs, 11 * hourMs)),
        },
      ),
    })
    .map(({ cores, memory, group: ofGroup, ...rest }) =>
      task(`t${index}`, {
        ...rest,
        ...(ofGroup ? { group: ofGroup } : {}),
        cpuMilli: 500 * cores,
        memoryBytes: gib * memory,
      }),
    );
}

interface Load {
  node: number;
  share: number;
  cards: number;
  startedAgoMs: number | null;
  limitMs: number | null;
  /** Bound to NUMA node 0 where there is room for it. */
  isBound: boolean;
}

const load: fc.Arbitrary<Load> = fc.record({
  node: fc.nat({ max: 3 }),
  share: fc.integer({ min: 1, max: 4 }),
  cards: fc.nat({ max: 3 }),
  startedAgoMs: fc.option(duration, { freq: 8 }),
  limitMs: limit,
  isBound: fc.boolean(),
});

/** Running work that never takes more than its node has. */
function allocationsOn(nodes: readonly SnapshotNode[], loads: readonly Load[]): SnapshotAllocation[] {
  const left = new Map(
    nodes.map(({ id, capacity }) => [id, { ...capacity, gpus: [...capacity.gpus], first: { ...capacity.numa?.[0] } }]),
  );
  return loads.flatMap((entry, index) => {
    const on = nodes[entry.node % Math.max(1, nodes.length)];
    const free = on && left.get(on.id);
    if (!free) return [];
    const cpuMilli = Math.floor(free.cpuMilli / entry.share);
    const memoryBytes = Math.floor(free.memoryBytes / entry.share);
    free.cpuMilli -= cpuMilli;
    free.memoryBytes -= memoryBytes;
    const { first } = free;
    const isBound = entry.isBound && cpuMilli <= (first.cpuMilli ?? -1) && memoryBytes <= (first.memoryBytes ?? -1);
    if (isBound) {
      first.cpuMilli = (first.cpuMilli ?? 0) - cpuMilli;
      first.memoryBytes = (first.memoryBytes ?? 0) - memoryBytes;
    }
    const gpuUuids = free.gpus.splice(0, entry.cards).map(({ uuid }) => uuid);
    const startedAtMs = entry.startedAgoMs === null ? null : 10 * hourMs - entry.startedAgoMs;
    return [
      running(`r${index}`, on.id, {
        cpuMilli,
        memoryBytes,
        gpuUuids,
        numaNode: isBound ? 0 : null,
        startedAtMs,
        limitMs: entry.limitMs,
      }),
    ];
  });
}

/** Up to 4 nodes, 6 running tasks and 14 queued ones, some of them holding a reservation already. */
const mixed: fc.Arbitrary<Snapshot> = fc
  .tuple(fc.nat({ max: 4 }), fc.nat({ max: 14 }))
  .chain(([nodeCount, taskCount]) =>
    fc.record({
      nodes: fc.tuple(...Array.from({ length: nodeCount }, (_, i) => nodeArbitrary(i))),
      loads: fc.array(load, { maxLength: 6 }),
      queued: fc.tuple(...Array.from({ length: taskCount }, (_, i) => taskArbitrary(i))),
      holders: fc.uniqueArray(fc.nat({ max: 13 }), { maxLength: 2 }),
    }),
  )
  .map(({ nodes, loads, queued, holders }) =>
    snapshot({
      nodes,
      queued: queued.map((of) => asItsGroup(of, queued)),
      allocations: allocationsOn(nodes, loads),
      held: { reservations: holders.map((index) => ({ pool: 'n0', taskId: `t${index}` })) },
    }),
  );

/** Members of a group ask for the same, as those of an array do. */
function asItsGroup(of: SnapshotTask, queued: readonly SnapshotTask[]): SnapshotTask {
  const first = of.group && queued.find(({ group: other }) => other?.id === of.group?.id);
  if (!first) return of;
  const { cpuMilli, memoryBytes, gpus: cards, numaNode: numa = null, constraints } = first;
  return { ...of, cpuMilli, memoryBytes, gpus: cards, numaNode: numa, constraints };
}

/** Cores and memory for all, so that GPUs alone decide, by number and by name. */
const gpusAlone: fc.Arbitrary<Snapshot> = mixed.map((drawn) => ({
  ...drawn,
  nodes: drawn.nodes.map((of) =>
    node(of.id, {
      cpuMilli: 1_000_000,
      memoryBytes: 1000 * gib,
      gpus: gpus(of.id, 4, ['A100', 'T4', 'A100', 'A100-80']),
      numa: halves(1_000_000, 1000 * gib),
      offers: ['mount:data'],
    }),
  ),
  allocations: drawn.allocations.map((of, index) => ({
    ...of,
    cpuMilli: 1000,
    memoryBytes: gib,
    numaNode: null,
    gpuUuids: [
      `GPU-${of.nodeId}-${drawn.allocations.slice(0, index).filter(({ nodeId }) => nodeId === of.nodeId).length}`,
    ].filter((uuid) => Number(uuid.at(-1)) < 4),
  })),
  queued: drawn.queued.map((of) => ({
    ...of,
    gpus: of.gpus ?? { count: 1 + ((of.group?.room ?? of.order) % 3) },
  })),
}));

export const anySnapshot = fc.oneof(mixed, gpusAlone);
