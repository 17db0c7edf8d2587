import type { NodeReason } from '../../protocol/reason.ts';
import { arrayOf } from '../../protocol/ids.ts';
import { priorityClasses } from '../../protocol/task-spec.ts';
import { isEnded, isPlaced } from '../../protocol/task-state.ts';
import type { AttemptView, TaskSummary, TaskUsage, TaskView } from '../../protocol/task-view.ts';
import type { attempts, tasks } from '../store/schema.ts';

export type TaskRow = typeof tasks.$inferSelect;
export type AttemptRow = typeof attempts.$inferSelect;

/** What events carry: everything of a task that changes. */
export function toTaskSummary(row: TaskRow): TaskSummary {
  return {
    id: row.id,
    name: row.name,
    owner: row.owner,
    state: row.state,
    stuck: row.stuck,
    priority: priorityName(row.priority),
    node: isPlaced(row.state) || isEnded(row.state) ? row.node : null,
    nodeName: isPlaced(row.state) || isEnded(row.state) ? row.nodeName : null,
    attempt: row.attempt,
    labels: row.spec.labels,
    gpus: [...row.gpus],
    rev: row.rev,
    notBefore: isoOrNull(row.eligibleMs),
    reason: row.reason,
    end: row.end,
    createdAt: iso(row.createdMs),
    startedAt: isoOrNull(row.startedMs),
    endedAt: isoOrNull(row.endedMs),
  };
}

/** `usage`: what it uses now, where that is known. */
export function toTaskView(row: TaskRow, reasons: readonly NodeReason[], usage: TaskUsage | null = null): TaskView {
  return {
    ...toTaskSummary(row),
    batch: row.batch,
    members: row.members,
    array: memberOf(row),
    onNodeLoss: { policy: row.spec.onNodeLoss ?? 'wait', lease: row.spec.nodeLossLease ?? null },
    usage,
    reasons: [...reasons],
    spec: row.spec,
  };
}

function memberOf({ id }: TaskRow): TaskView['array'] {
  const place = arrayOf(id);
  return place && { id: place.array, index: place.index };
}

export function toAttemptView(row: AttemptRow): AttemptView {
  return {
    attempt: row.attempt,
    node: row.node,
    nodeName: row.nodeName,
    state: row.state,
    gpus: [...row.gpus],
    assignedAt: iso(row.assignedMs),
    startedAt: isoOrNull(row.startedMs),
    endedAt: isoOrNull(row.endedMs),
    end: row.end,
  };
}

function priorityName(value: number): string {
  const known = Object.entries(priorityClasses).find(([, level]) => level === value);
  return known?.[0] ?? String(value);
}

export function iso(ms: number): string {
  return new Date(ms).toISOString();
}

function isoOrNull(ms: number | null): string | null {
  return ms === null ? null : iso(ms);
}
