import { couldEverFit } from './constraints.ts';
import { counterfactuals, type Counterfactual } from './counterfactuals.ts';
import type { Pass } from './pass.ts';
import type { Start } from './plan.ts';
import type { Entry } from './queue.ts';
import type { NodeCause, ReasonCode } from './reasons.ts';
import { refusalOf } from './refusals.ts';
import type { Reservation, Wish } from './reservation.ts';
import { classOf, faultClass, runPass, type EndedPass } from './schedule.ts';
import type { Policy, Snapshot, SnapshotTask } from './snapshot.ts';

export interface NodeVerdict {
  nodeId: string;
  name: string;
  /** `null` when nothing on this node is in the way. */
  cause: NodeCause | null;
  /** As `gpus: needs 4, 3 of 4 free`; empty without a cause. */
  detail: string;
}

export interface ReservationView {
  taskId: string;
  nodeId: string;
  /** When the node is reckoned to be free for it: an upper bound as long as limits hold. */
  shadowMs: number;
}

export interface Explanation {
  taskId: string;
  /** Set when the next pass starts it; then nothing is in the way and the rest says so. */
  start: Start | null;
  reason: { code: ReasonCode; message: string; advice: string } | null;
  /** No node that is known and not lost could run it, even when empty. */
  impossible: boolean;
  /** 1 is the next; counts the tasks that wait, starts, capped and unreadable ones left out; 0 when it does not wait. */
  position: number;
  /** Ids of the first of those that wait before it, in order; `position` says how many there are. */
  ahead: readonly string[];
  nodes: readonly NodeVerdict[];
  /** Its own reservation, or else the first to come free of those that keep it from a node. */
  reservation: ReservationView | null;
  counterfactuals: readonly Counterfactual[];
}

const aheadShown = 100;

/**
 * Why a task waits, node by node, judged against what a pass on this snapshot would leave. `null` when
 * it is not queued. Costs one pass and a look at every node for each counterfactual.
 */
export function explain(snapshot: Snapshot, taskId: string, policy: Policy): Explanation | null {
  const task = snapshot.queued.find((queued) => queued.id === taskId);
  if (!task) return null;
  const ended = runPass(snapshot, policy);
  const entry = ended.queue.entries.find((candidate) => candidate.id === taskId);
  if (!entry) return explainFault(task, ended);
  const { pass } = ended;
  const start = pass.starts.find((started) => started.taskId === taskId) ?? null;
  if (start) return { ...nothing(taskId), start };
  const { code, message, advice } = classOf(pass, entry);
  const wish = { shape: entry.shape, endMs: pass.nowMs + entry.limitMs };
  return {
    taskId,
    start,
    reason: { code, message, advice },
    impossible: !couldEverFit(task, snapshot.nodes),
    ...placeInQueue(ended, entry),
    nodes: verdicts(pass, wish),
    reservation: reservationFor(pass, wish, taskId),
    counterfactuals: entry.outcome === 'capped' ? [] : counterfactuals(pass, task, entry),
  };
}

function nothing(taskId: string): Explanation {
  return {
    taskId,
    start: null,
    reason: null,
    impossible: false,
    position: 0,
    ahead: [],
    nodes: [],
    reservation: null,
    counterfactuals: [],
  };
}

function explainFault(task: SnapshotTask, { queue }: EndedPass): Explanation {
  const fault = queue.faults.find(({ taskId }) => taskId === task.id);
  const { code, message, advice } = faultClass(fault?.message ?? 'it cannot be read');
  return { ...nothing(task.id), reason: { code, message, advice } };
}

function placeInQueue({ queue }: EndedPass, entry: Entry): Pick<Explanation, 'position' | 'ahead'> {
  const waiting = queue.entries.filter(
    (other) => other === entry || (other.outcome !== 'starts' && other.outcome !== 'capped'),
  );
  const index = waiting.indexOf(entry);
  return {
    position: index + 1,
    ahead: waiting.slice(0, Math.min(index, aheadShown)).map(({ id }) => id),
  };
}

function verdicts(pass: Pass, wish: Wish): NodeVerdict[] {
  return pass.table.nodes.map((node, n) => {
    const refusal = refusalOf(pass, wish, n);
    return {
      nodeId: node.id,
      name: node.name,
      cause: refusal?.cause ?? null,
      detail: refusal?.detail ?? '',
    };
  });
}

function reservationFor(pass: Pass, wish: Wish, taskId: string): ReservationView | null {
  const view = ({ taskId: holder, node, atMs }: Reservation): ReservationView => ({
    taskId: holder,
    nodeId: pass.table.nodes[node]?.id ?? '',
    shadowMs: atMs,
  });
  const own = pass.reservations.find((reservation) => reservation.taskId === taskId);
  if (own) return view(own);
  const [first] = pass.reservations
    .filter(({ node }) => refusalOf(pass, wish, node)?.cause === 'reserved')
    .sort((a, b) => a.atMs - b.atMs);
  return first ? view(first) : null;
}
