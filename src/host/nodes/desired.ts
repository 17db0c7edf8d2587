import { and, asc, eq, isNull } from 'drizzle-orm';
import type { NodeId } from '../../protocol/ids.ts';
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
  return {
    tasks: rows.map(({ attempt, task }) => toAssignment(attempt, task)),
    settings: { syncHoldMs: config.syncHoldMs, orphanGraceMs: config.orphanGraceMs },
  };
}

function toAssignment(attempt: AttemptRow, task: TaskRow): Assignment {
  return {
    task: attempt.task,
    attempt: attempt.attempt,
    generation: attempt.generation,
    spec: toWorkloadSpec(task, attempt.gpus),
    stop: attempt.stop,
    seen: attempt.observed !== null,
  };
}

function toWorkloadSpec({ spec, name, owner }: TaskRow, gpus: readonly string[]): WorkloadSpec {
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
  };
}
