import type { NodeReason } from '../../protocol/reason.ts';
import type { Explanation } from '../../protocol/task-view.ts';
import type { NodeId, TaskId } from '../../protocol/ids.ts';
import type { HostContext } from '../context.ts';
import { counterfactualText } from '../scheduling/counterfactual-text.ts';
import { explain, type Explanation as Findings } from '../scheduling/explain.ts';
import { findTask } from './queries.ts';
import { readSnapshot, schedulingPolicy } from './snapshot.ts';
import { iso, type TaskRow } from './view.ts';

type Slice = Pick<HostContext, 'db' | 'presence' | 'clock' | 'config' | 'planMemory'>;

/**
 * Why a task is where it is, node by node, and what would start it now.
 * @throws ProblemError `not_found`, `state_conflict`
 */
export async function explainTask(ctx: Slice, ref: string): Promise<Explanation> {
  const row = await findTask(ctx.db, ref);
  if (row.state !== 'queued') return toExplanation(row, null);
  const held = ctx.planMemory.last()?.held ?? { reservations: [] };
  return toExplanation(row, explain(await readSnapshot(ctx, ctx.db, held), row.id, schedulingPolicy(ctx.config)));
}

/** `found`: `null` when the scheduler had nothing to look at. */
export function toExplanation(row: TaskRow, found: Findings | null): Explanation {
  const bare = {
    id: row.id,
    state: row.state,
    reason: row.reason,
    position: null,
    ahead: [],
    nodes: [],
    wouldHelp: [],
  };
  if (found === null) return bare;
  return {
    ...bare,
    reason: found.reason ?? row.reason,
    position: found.position === 0 ? null : found.position,
    // The scheduler's ids are those that the snapshot was made of.
    ahead: found.ahead.slice(0, 20) as TaskId[],
    nodes: found.nodes.map(({ nodeId, name, cause, detail }) => ({
      node: nodeId as NodeId,
      nodeName: name,
      fits: cause === null,
      cause,
      detail,
    })),
    wouldHelp: [...reservationWords(found, row), ...found.counterfactuals.map(counterfactualText)],
  };
}

/** Why the nodes do not take a queued task, grouped by cause, as the last pass found; empty when it is not queued. */
export function nodeReasons(ctx: Pick<HostContext, 'planMemory'>, row: TaskRow): NodeReason[] {
  const plan = ctx.planMemory.last();
  if (row.state !== 'queued' || plan === null) return [];
  const index = plan.reasons.get(row.id);
  const shared = index === undefined ? undefined : plan.classes[index];
  return (shared?.nodes ?? []).map(({ cause, detail, nodeIds }) => ({ cause, detail, nodes: [...nodeIds] }));
}

function reservationWords({ reservation }: Findings, row: TaskRow): string[] {
  if (reservation === null) return [];
  const by = `${reservation.nodeId} is free for it by ${iso(reservation.shadowMs)} at the latest`;
  if (reservation.taskId === row.id) return [`waiting: ${by}`];
  return [`${reservation.taskId} ahead has a reservation; ${by}`];
}
