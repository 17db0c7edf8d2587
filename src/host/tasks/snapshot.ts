import { and, asc, desc, eq, gt, inArray, isNotNull, isNull, lte, min, or } from 'drizzle-orm';
import { arrayOf, taskId, type TaskId } from '../../protocol/ids.ts';
import { parseLabelExpression, type LabelCondition } from '../../protocol/label-expression.ts';
import type { Hardware } from '../../protocol/node-report.ts';
import { cpuMilli, type TaskSpec } from '../../protocol/task-spec.ts';
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
  SnapshotNuma,
  SnapshotTask,
  TaskConstraints,
  TaskGroup,
} from '../scheduling/snapshot.ts';
import type { Queryable } from '../store/database.ts';
import { nodes, tasks } from '../store/schema.ts';
import type { TaskRow } from './view.ts';

type Slice = Pick<HostContext, 'presence' | 'clock'>;

/** Everything that a scheduling pass may know, as stored now. */
export async function readSnapshot(ctx: Slice, db: Queryable, held: Held): Promise<Snapshot> {
  const nowMs = ctx.clock.now();
  const placed = await db
    .select()
    .from(tasks)
    .where(and(inArray(tasks.state, [...placedStates]), isNull(tasks.members)));
  const queued = await db
    .select()
    .from(tasks)
    .where(and(isWaiting, or(isNull(tasks.eligibleMs), lte(tasks.eligibleMs, nowMs))))
    .orderBy(desc(tasks.priority), asc(tasks.id));
  const groups = await readGroups(db, queued, placed);
  return {
    nowMs,
    nodes: await readSnapshotNodes(ctx, db),
    allocations: placed.flatMap(toAllocation),
    queued: queued.map((row) => toSnapshotTask(row, groupOf(row, groups))),
    held,
    nextEligibleMs: await nextEligible(db, nowMs),
  };
}

/** An array itself is never placed: its members are. */
const isWaiting = and(eq(tasks.state, 'queued'), isNull(tasks.members));

/** When the first of the queued tasks that may not start yet may. */
async function nextEligible(db: Queryable, nowMs: number): Promise<number | null> {
  const [row] = await db
    .select({ atMs: min(tasks.eligibleMs) })
    .from(tasks)
    .where(and(isWaiting, gt(tasks.eligibleMs, nowMs)));
  return row?.atMs ?? null;
}

/** Of each array that may not run all its members together: how many more may start. */
async function readGroups(
  db: Queryable,
  queued: readonly TaskRow[],
  placed: readonly TaskRow[],
): Promise<Map<TaskId, TaskGroup>> {
  const arrays = [...new Set(queued.flatMap(({ id }) => arrayOf(id)?.array ?? []))];
  const groups = new Map<TaskId, TaskGroup>();
  for (let from = 0; from < arrays.length; from += idsAtOnce) {
    const rows = await db
      .select({ id: tasks.id, together: tasks.together })
      .from(tasks)
      .where(and(inArray(tasks.id, arrays.slice(from, from + idsAtOnce)), isNotNull(tasks.together)));
    for (const { id, together } of rows) groups.set(id, { id, room: together ?? 0 });
  }
  for (const row of placed) {
    const group = groupOf(row, groups);
    if (group) group.room -= 1;
  }
  return groups;
}

/** Bound values of one statement are bounded by SQLite at 32,766. */
const idsAtOnce = 5000;

function groupOf({ id }: TaskRow, groups: ReadonlyMap<TaskId, TaskGroup>): TaskGroup | undefined {
  const member = arrayOf(id);
  return member === null ? undefined : groups.get(member.array);
}

export async function readSnapshotNodes(ctx: Pick<HostContext, 'presence'>, db: Queryable): Promise<SnapshotNode[]> {
  const rows = await db.select().from(nodes).where(isNull(nodes.removedMs));
  return rows.map((row) => ({
    id: row.id,
    name: row.name,
    labels: row.labels,
    availability: availability(row, ctx.presence.lastContactMs(row.id) !== null),
    capacity: capacityOf(row),
    offers: row.capacity?.hardware.offers ?? [],
  }));
}

function availability(row: typeof nodes.$inferSelect, synced: boolean): Availability {
  if (row.state !== 'ready') return row.state;
  if (row.held !== null) return 'unreachable';
  if (row.draining !== null) return row.draining.kind === 'cordon' ? 'cordoned' : 'draining';
  return synced && row.capacity !== null ? 'ready' : 'unsynced';
}

function capacityOf(row: typeof nodes.$inferSelect): SnapshotNode['capacity'] {
  const hardware = row.capacity?.hardware;
  if (!hardware) return { cpuMilli: 0, memoryBytes: 0, gpus: [] };
  const { cpuMilli: cores, memoryBytes, gpus, numa } = hardware;
  return { cpuMilli: cores, memoryBytes, gpus, numa: numa.map(toSnapshotNuma) };
}

function toSnapshotNuma({ node, cpus, memoryBytes }: Hardware['numa'][number]): SnapshotNuma {
  return { node, cpuMilli: 1000 * cpus.length, memoryBytes };
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
      numaNode: row.spec.resources.numaNode ?? null,
      priority: row.priority,
      startedAtMs: row.startedMs,
      limitMs: row.spec.timeLimit,
      graceMs: row.spec.stopGrace,
    },
  ];
}

/** `group`: where it may not run together with all of its array. */
export function toSnapshotTask(row: TaskRow, group?: TaskGroup): SnapshotTask {
  return {
    id: row.id,
    order: taskId.toStored(row.id),
    priority: row.priority,
    owner: row.owner,
    cpuMilli: cpuMilli(row.spec),
    memoryBytes: row.spec.resources.memory,
    gpus: gpuRequest(row.spec.resources.gpus),
    numaNode: row.spec.resources.numaNode ?? null,
    constraints: constraintsOf(row.spec),
    limitMs: row.spec.timeLimit,
    avoid: {},
    ...(group === undefined ? {} : { group }),
  };
}

function constraintsOf(spec: TaskSpec): TaskConstraints {
  const { node, labels, expression } = spec.placement;
  return { node, labels, conditions: conditionsOf(expression), needs: needsOf(spec) };
}

function conditionsOf(expression: string | undefined): readonly LabelCondition[] {
  if (expression === undefined) return [];
  const parsed = parseLabelExpression(expression);
  // What can no longer be read is met by no node: its key is none that a label can have.
  return typeof parsed === 'string' ? [{ key: expression, is: 'present' }] : parsed;
}

/** What a node must offer for it, in the words of the Runner's report. */
function needsOf(spec: TaskSpec): string[] {
  const mounts = (spec.mounts ?? []).map(({ name, readOnly }) => (readOnly ? `mount:${name}` : `mount:${name}:rw`));
  return [
    ...new Set(mounts),
    ...(spec.privileged === true ? ['privileged'] : []),
    ...(spec.network === 'host' ? ['network:host'] : []),
    ...(spec.devices ?? []).map((device) => `device:${device}`),
    ...(spec.capabilities ?? []).map((capability) => `capability:${capability}`),
    ...((spec.resources.diskLimit ?? null) === null ? [] : ['disk-limit']),
  ];
}

function gpuRequest(gpus: TaskSpec['resources']['gpus']): GpuRequest | null {
  if (gpus?.uuids !== undefined) return { uuids: gpus.uuids };
  if (gpus?.count === undefined) return null;
  const { count, model, minMemory } = gpus;
  return {
    count,
    ...(model === undefined ? {} : { model }),
    ...(minMemory === undefined ? {} : { minMemoryBytes: minMemory }),
  };
}

export function schedulingPolicy(config: HostConfig): Policy {
  return {
    defaultLimitMs: config.defaultLimitMs,
    guardMs: config.reservationGuardMs,
    budgetTries: config.passBudgetTries,
  };
}
