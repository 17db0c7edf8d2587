import { and, asc, eq, inArray, isNull } from 'drizzle-orm';
import { arrayOf, type NodeId, type TaskId } from '../../protocol/ids.ts';
import type { Assignment, Desired, WorkloadSpec } from '../../protocol/sync.ts';
import { cpuMilli, taskArgv } from '../../protocol/task-spec.ts';
import type { HostConfig } from '../config.ts';
import type { Queryable } from '../store/database.ts';
import { attempts, tasks } from '../store/schema.ts';
import type { AttemptRow, TaskRow } from '../tasks/view.ts';

/** All that is desired of a node: its attempts that have not ended. */
export async function readDesired(db: Queryable, node: NodeId, config: HostConfig): Promise<Desired> {
  const rows = await db
    .select({ attempt: attempts, task: tasks })
    .from(attempts)
    .innerJoin(tasks, eq(tasks.id, attempts.task))
    .where(and(eq(attempts.node, node), isNull(attempts.endedMs)))
    .orderBy(asc(attempts.task));
  const sizes = await arraySizes(
    db,
    rows.map(({ task }) => task),
  );
  return {
    tasks: rows.map(({ attempt, task }) => toAssignment(attempt, task, sizes)),
    settings: { syncHoldMs: config.syncHoldMs, orphanGraceMs: config.orphanGraceMs },
  };
}

type ArraySizes = ReadonlyMap<TaskId, number>;

async function arraySizes(db: Queryable, members: readonly TaskRow[]): Promise<ArraySizes> {
  const arrays = [...new Set(members.flatMap(({ id }) => arrayOf(id)?.array ?? []))];
  if (arrays.length === 0) return new Map();
  const rows = await db.select({ id: tasks.id, members: tasks.members }).from(tasks).where(inArray(tasks.id, arrays));
  return new Map(
    rows.map(({ id, members: counts }) => [id, Object.values(counts ?? {}).reduce((sum, one) => sum + one, 0)]),
  );
}

function toAssignment(attempt: AttemptRow, task: TaskRow, sizes: ArraySizes): Assignment {
  return {
    task: attempt.task,
    attempt: attempt.attempt,
    generation: attempt.generation,
    spec: toWorkloadSpec(task, attempt.gpus, sizes),
    stop: attempt.stop,
    paused: attempt.paused,
    seen: attempt.observed !== null,
  };
}

function toWorkloadSpec(task: TaskRow, gpus: readonly string[], sizes: ArraySizes): WorkloadSpec {
  const { spec, name, owner } = task;
  const argv = taskArgv(spec);
  return {
    name,
    owner,
    image: spec.image,
    argv: argv && [...argv],
    env: spec.env,
    workdir: spec.workdir ?? null,
    user: spec.user ?? null,
    cpuMilli: cpuMilli({ resources: spec.resources }),
    memoryBytes: spec.resources.memory,
    gpuUuids: [...gpus],
    timeLimitMs: spec.timeLimit,
    stopSignal: spec.stopSignal,
    stopGraceMs: spec.stopGrace,
    ...onlyGiven({
      stdin: spec.stdin,
      cpuLimit: spec.resources.cpuLimit,
      numaNode: spec.resources.numaNode,
      shmBytes: spec.resources.shmSize,
      pidsLimit: spec.resources.pidsLimit,
      ulimits: spec.resources.ulimits,
      diskBytes: spec.resources.diskLimit,
      mounts: spec.mounts,
      capabilities: spec.capabilities,
      devices: spec.devices,
      privileged: spec.privileged,
      network: spec.network,
      logCapBytes: spec.logCap,
      leaseMs: spec.onNodeLoss === 'requeue' ? spec.nodeLossLease : undefined,
      array: memberOf(task, sizes),
    }),
  };
}

function memberOf({ id }: TaskRow, sizes: ArraySizes): WorkloadSpec['array'] {
  const place = arrayOf(id);
  return place === null ? undefined : { id: place.array, index: place.index, size: sizes.get(place.array) ?? 0 };
}

type Given<T> = { [K in keyof T]?: NonNullable<T[K]> };

/** Leaves out what was not asked for: the wire says nothing of it. */
function onlyGiven<T extends Record<string, unknown>>(fields: T): Given<T> {
  return Object.fromEntries(
    Object.entries(fields).filter(([, value]) => value !== undefined && value !== null),
  ) as Given<T>;
}
