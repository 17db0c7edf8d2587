import type { NodeView } from '../../protocol/node-view.ts';
import { cpuMilli } from '../../protocol/task-spec.ts';
import type { HostContext } from '../context.ts';
import { iso, type TaskRow } from '../tasks/view.ts';
import type { NodeRow } from './queries.ts';

/** `placed`: tasks that hold room on this node. */
export function toNodeView(
  ctx: Pick<HostContext, 'presence' | 'clock'>,
  row: NodeRow,
  placed: readonly TaskRow[],
): NodeView {
  const hardware = row.capacity?.hardware ?? null;
  return {
    id: row.id,
    name: row.name,
    state: row.state,
    ...closedViews(row),
    held: row.held && { reason: row.held.reason, since: iso(row.held.sinceMs) },
    labels: row.labels,
    rev: row.rev,
    version: row.capacity?.version ?? null,
    capacity: capacityOf(row),
    allocated: {
      cpus: placed.reduce((sum, task) => sum + cpuMilli(task.spec), 0) / 1000,
      memory: placed.reduce((sum, task) => sum + task.spec.resources.memory, 0),
      gpus: placed.reduce((sum, task) => sum + task.gpus.length, 0),
    },
    gpus: hardware?.gpus ?? [],
    hardware,
    load: loadOf(ctx, row),
    joinedAt: iso(row.joinedMs),
    lastContactAt: lastContact(ctx, row),
    tasks: placed.length,
  };
}

/** What each task uses is shown with the task. */
function loadOf(ctx: Pick<HostContext, 'presence'>, row: NodeRow): NodeView['load'] {
  const load = ctx.presence.load(row.id);
  if (load === null) return null;
  const { workloads: _, ...shown } = load;
  return shown;
}

function capacityOf(row: NodeRow): NodeView['capacity'] {
  const hardware = row.capacity?.hardware;
  if (!hardware) return null;
  return { cpus: hardware.cpuMilli / 1000, memory: hardware.memoryBytes, gpus: hardware.gpus.length };
}

/** Reckoned back from the monotonic clock where this process has heard of it, else as stored. */
function lastContact(ctx: Pick<HostContext, 'presence' | 'clock'>, row: NodeRow): string | null {
  const monotonicMs = ctx.presence.lastContactMs(row.id);
  if (monotonicMs !== null) return iso(Math.round(ctx.clock.now() - (ctx.clock.monotonic() - monotonicMs)));
  return row.lastContactMs === null ? null : iso(row.lastContactMs);
}

/** Why it takes no new work; both `null` when it does. */
function closedViews({ draining }: NodeRow): Pick<NodeView, 'draining' | 'cordoned'> {
  const closed = draining && { reason: draining.reason, since: iso(draining.sinceMs), by: draining.by };
  return draining?.kind === 'cordon' ? { draining: null, cordoned: closed } : { draining: closed, cordoned: null };
}

/** What events of a node carry. */
export function nodeEventData(row: NodeRow): Record<string, unknown> {
  return {
    id: row.id,
    name: row.name,
    state: row.state,
    labels: row.labels,
    ...closedViews(row),
    version: row.capacity?.version ?? null,
    capacity: capacityOf(row),
    hardware: row.capacity?.hardware ?? null,
    gpus: row.capacity?.hardware.gpus ?? [],
  };
}
