import { asc, desc, eq, inArray, isNull } from 'drizzle-orm';
import { taskId } from '../../protocol/ids.ts';
import { cpuMilli } from '../../protocol/task-spec.ts';
import { placedStates } from '../../protocol/task-state.ts';
import type { HostConfig } from '../config.ts';
import type { HostContext } from '../context.ts';
import type {
  Availability,
  GpuRequest,
  Held,
  Policy,
  Snapshot,
  SnapshotAllocation,
  SnapshotNode,
  SnapshotTask,
} from '../scheduling/snapshot.ts';
import type { Queryable } from '../store/database.ts';
import { nodes, tasks } from '../store/schema.ts';
import type { TaskRow } from './view.ts';

type Slice = Pick<HostContext, 'presence' | 'clock'>;

/** Everything that a scheduling pass may know, as stored now. */
export async function readSnapshot(ctx: Slice, db: Queryable, held: Held): Promise<Snapshot> {
  const placed = await db.select().from(tasks).where(inArray(tasks.state, [...placedStates]));
  const queued = await db
    .select()
    .from(tasks)
    .where(eq(tasks.state, 'queued'))
    .orderBy(desc(tasks.priority), asc(tasks.id));
  return {
    nowMs: ctx.clock.now(),
    nodes: await readSnapshotNodes(ctx, db),
    allocations: placed.flatMap(toAllocation),
    queued: queued.map(toSnapshotTask),
    held,
  };
}

export async function readSnapshotNodes(ctx: Pick<HostContext, 'presence'>, db: Queryable): Promise<SnapshotNode[]> {
  const rows = await db.select().from(nodes).where(isNull(nodes.removedMs));
  return rows.map((row) => ({
    id: row.id,
    name: row.name,
    labels: row.labels,
    availability: availability(row, ctx.presence.lastContactMs(row.id) !== null),
    capacity: capacityOf(row),
  }));
}

function availability(row: typeof nodes.$inferSelect, synced: boolean): Availability {
  if (row.state !== 'ready') return row.state;
  if (row.draining !== null) return 'draining';
  return synced && row.capacity !== null ? 'ready' : 'unsynced';
}

function capacityOf(row: typeof nodes.$inferSelect): SnapshotNode['capacity'] {
  const hardware = row.capacity?.hardware;
  if (!hardware) return { cpuMilli: 0, memoryBytes: 0, gpus: [] };
  return { cpuMilli: hardware.cpuMilli, memoryBytes: hardware.memoryBytes, gpus: hardware.gpus };
}

function toAllocation(row: TaskRow): SnapshotAllocation[] {
  if (row.node === null) return [];
  return [
    {
      taskId: row.id,
      nodeId: row.node,
      cpuMilli: cpuMilli(row.spec),
      memoryBytes: row.spec.resources.memory,
      gpuUuids: row.gpus,
      priority: row.priority,
      startedAtMs: row.startedMs,
      limitMs: row.spec.timeLimit,
      graceMs: row.spec.stopGrace,
    },
  ];
}

export function toSnapshotTask(row: TaskRow): SnapshotTask {
  return {
    id: row.id,
    order: taskId.toStored(row.id),
    priority: row.priority,
    owner: row.owner,
    cpuMilli: cpuMilli(row.spec),
    memoryBytes: row.spec.resources.memory,
    gpus: gpuRequest(row.spec.resources.gpus),
    constraints: { node: row.spec.placement.node, labels: row.spec.placement.labels },
    limitMs: row.spec.timeLimit,
    avoid: {},
  };
}

function gpuRequest(gpus: TaskRow['spec']['resources']['gpus']): GpuRequest | null {
  if (gpus?.uuids !== undefined) return { uuids: gpus.uuids };
  return gpus?.count === undefined ? null : { count: gpus.count };
}

export function schedulingPolicy(config: HostConfig): Policy {
  return { defaultLimitMs: config.defaultLimitMs, guardMs: config.reservationGuardMs, budgetTries: config.passBudgetTries };
}
