import { admits, findNode, type Field } from './place.ts';
import type { Pass } from './pass.ts';
import type { Entry } from './queue.ts';
import type { SnapshotTask, TaskConstraints } from './snapshot.ts';

/** A change to the task with which it would start now, and where. */
export type Counterfactual = Change & { nodeId: string; nodeName: string };

export type Change =
  | { change: 'limit'; limitMs: number }
  | { change: 'gpus'; count: number }
  | { change: 'constraint'; without: 'node' | 'labels' | 'node and labels' };

/** Tried on what the plan leaves, each by itself; what would not start it now is not said. */
export function counterfactuals(
  pass: Pass,
  task: SnapshotTask,
  entry: Entry,
): readonly Counterfactual[] {
  const field = { ...pass, reservedOn: withoutOwn(pass, task.id) };
  const tryTask = (changed: Partial<SnapshotTask>) => {
    const shape = pass.book.shapeOf({ ...task, ...changed });
    return findNode(field, { shape, endMs: pass.nowMs + entry.limitMs });
  };
  const found = [
    shorterLimit(pass, field, entry),
    fewerGpus(task, tryTask),
    looserConstraint(task.constraints, tryTask),
  ];
  return found.flatMap((hit) => {
    const node = hit && pass.table.nodes[hit.node];
    return node ? [{ ...hit.change, nodeId: node.id, nodeName: node.name }] : [];
  });
}

/** Its own reservation is in nobody's way but that of others. */
function withoutOwn(pass: Pass, taskId: string): Field['reservedOn'] {
  return pass.reservedOn.map((reservation) =>
    reservation?.taskId === taskId ? null : reservation,
  );
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
    const node = tryTask({ gpus: { count } });
    if (node >= 0) return { change: { change: 'gpus', count }, node };
  }
  return null;
}

function looserConstraint({ node, labels }: TaskConstraints, tryTask: TryTask): Hit {
  const tries = [
    { without: 'node', constraints: { node: null, labels } },
    { without: 'labels', constraints: { node, labels: {} } },
    { without: 'node and labels', constraints: { node: null, labels: {} } },
  ] as const;
  const hasLabels = Object.keys(labels).length > 0;
  for (const { without, constraints } of tries) {
    if (without !== 'labels' && node === null) continue;
    if (without !== 'node' && !hasLabels) continue;
    const found = tryTask({ constraints });
    if (found >= 0) return { change: { change: 'constraint', without }, node: found };
  }
  return null;
}
