import type { NodeId } from '../../protocol/ids.ts';
import type { WorkloadUsage } from '../../protocol/node-report.ts';
import type { TaskState } from '../../protocol/task-state.ts';
import type { TaskUsage } from '../../protocol/task-view.ts';
import type { HostContext } from '../context.ts';
import type { TaskRow } from './view.ts';

type Slice = Pick<HostContext, 'presence' | 'clock' | 'config'>;

const alive = new Set<TaskState>(['running', 'paused', 'stopping']);

/** What tasks use now, as their nodes told last; for one answer, since it looks at each node once. */
export function createUsageBook(ctx: Slice): (row: TaskRow) => TaskUsage | null {
  const nodes = new Map<NodeId, Map<string, WorkloadUsage>>();
  const usagesOf = (node: NodeId): Map<string, WorkloadUsage> => {
    const known = nodes.get(node) ?? readUsages(ctx, node);
    nodes.set(node, known);
    return known;
  };
  return (row) => {
    if (row.node === null || !alive.has(row.state)) return null;
    const seen = usagesOf(row.node).get(keyOf({ task: row.id, attempt: row.attempt }));
    return seen === undefined ? null : toTaskUsage(seen);
  };
}

/** None of a node that is silent: what it told is no longer so. */
function readUsages({ presence, clock, config }: Slice, node: NodeId): Map<string, WorkloadUsage> {
  const contactMs = presence.lastContactMs(node);
  const isSilent = contactMs === null || clock.monotonic() - contactMs > config.suspectMs;
  const told = isSilent ? [] : (presence.load(node)?.workloads ?? []);
  return new Map(told.map((usage) => [keyOf(usage), usage]));
}

function keyOf({ task, attempt }: Pick<WorkloadUsage, 'task' | 'attempt'>): string {
  return `${task} ${attempt}`;
}

function toTaskUsage({ cpuMilli, memoryBytes, gpu }: WorkloadUsage): TaskUsage {
  return {
    cpus: cpuMilli === null ? null : cpuMilli / 1000,
    memory: memoryBytes,
    gpus: gpu.map((one) => ({ uuid: one.uuid, memory: one.memoryBytes })),
  };
}
