import { admits, findNode, type Field } from './place.ts';
import type { Pass } from './pass.ts';
import type { Entry } from './queue.ts';
import type { GpuCount, SnapshotTask, TaskConstraints } from './snapshot.ts';

/** A change to the task with which it would start now, and where. */
export type Counterfactual = Change & { nodeId: string; nodeName: string };

export type Change =
  | { change: 'limit'; limitMs: number }
  | { change: 'gpus'; count: number }
  | { change: 'constraint'; without: Without };

/** What it could do without. */
export type Without = 'node' | 'labels' | 'node and labels' | 'GPU model' | 'GPU memory' | 'NUMA node';

/** Tried on what the plan leaves, each by itself; what would not start it now is not said. */
export function counterfactuals(pass: Pass, task: SnapshotTask, entry: Entry): readonly Counterfactual[] {
  const field = { ...pass, reservedOn: withoutOwn(pass, task.id) };
  const tryTask = (changed: Partial<SnapshotTask>) => {
    const shape = pass.book.shapeOf({ ...task, ...changed });
    return findNode(field, { shape, endMs: pass.nowMs + entry.limitMs });
  };
  const found = [
    shorterLimit(pass, field, entry),
    fewerGpus(task, tryTask),
    looserConstraint(task.constraints, tryTask),
    otherGpus(task, tryTask),
    anyNumaNode(task, tryTask),
  ];
  return found.flatMap((hit) => {
    const node = hit && pass.table.nodes[hit.node];
    return node ? [{ ...hit.change, nodeId: node.id, nodeName: node.name }] : [];
  });
}

/** Its own reservation is in nobody's way but that of others. */
function withoutOwn(pass: Pass, taskId: string): Field['reservedOn'] {
  return pass.reservedOn.map((reservation) => (reservation?.taskId === taskId ? null : reservation));
}

/** Number of the node, -1 when there is none. */
type TryTask = (changed: Partial<SnapshotTask>) => number;

type Hit = { change: Change; node: number } | null;

/** The longest limit that ends before a reservation where there is room until then. */
function shorterLimit(pass: Pass, field: Field, { shape, limitMs }: Entry): Hit {
  const ends = field.reservedOn.flatMap((reservation, node) =>
    reservation !== null && admits(field, { shape, endMs: reservation.atMs }, node)
      ? [{ node, limitMs: reservation.atMs - pass.nowMs }]
      : [],
  );
  const [longest] = ends
    .filter((end) => end.limitMs > 0 && end.limitMs < limitMs)
    .sort((a, b) => b.limitMs - a.limitMs);
  if (!longest) return null;
  return { change: { change: 'limit', limitMs: longest.limitMs }, node: longest.node };
}

function fewerGpus({ gpus }: SnapshotTask, tryTask: TryTask): Hit {
  if (gpus === null || !('count' in gpus)) return null;
  for (let count = gpus.count - 1; count > 0; count -= 1) {
    const node = tryTask({ gpus: { ...gpus, count } });
    if (node >= 0) return { change: { change: 'gpus', count }, node };
  }
  return null;
}

function looserConstraint(given: TaskConstraints, tryTask: TryTask): Hit {
  const { node, labels, conditions } = given;
  const unlabelled = { labels: {}, conditions: [] };
  const tries = [
    { without: 'node', constraints: { ...given, node: null } },
    { without: 'labels', constraints: { ...given, ...unlabelled } },
    { without: 'node and labels', constraints: { ...given, ...unlabelled, node: null } },
  ] as const;
  const hasLabels = Object.keys(labels).length > 0 || (conditions?.length ?? 0) > 0;
  for (const { without, constraints } of tries) {
    if (without !== 'labels' && node === null) continue;
    if (without !== 'node' && !hasLabels) continue;
    const found = tryTask({ constraints });
    if (found >= 0) return { change: { change: 'constraint', without }, node: found };
  }
  return null;
}

/** Any model or any memory, where only one of both keeps it from a node. */
function otherGpus({ gpus }: SnapshotTask, tryTask: TryTask): Hit {
  if (gpus === null || !('count' in gpus)) return null;
  const tries = [
    { without: 'GPU model', key: 'model' },
    { without: 'GPU memory', key: 'minMemoryBytes' },
  ] as const;
  for (const { without, key } of tries) {
    if (gpus[key] === undefined) continue;
    const node = tryTask({ gpus: omit(gpus, key) });
    if (node >= 0) return { change: { change: 'constraint', without }, node };
  }
  return null;
}

function omit(gpus: GpuCount, key: 'model' | 'minMemoryBytes'): GpuCount {
  const { [key]: _, ...rest } = gpus;
  return rest;
}

function anyNumaNode({ numaNode }: SnapshotTask, tryTask: TryTask): Hit {
  if (numaNode === undefined || numaNode === null) return null;
  const node = tryTask({ numaNode: null });
  return node < 0 ? null : { change: { change: 'constraint', without: 'NUMA node' }, node };
}
