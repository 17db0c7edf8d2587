import { explain } from '../../src/host/scheduling/explain.ts';
import { schedule } from '../../src/host/scheduling/schedule.ts';
import type { Held, Snapshot, SnapshotNode, SnapshotTask } from '../../src/host/scheduling/snapshot.ts';
import { allocationOf, policy, snapshot } from './scheduling-cluster.ts';

export interface Job {
  task: SnapshotTask;
  submitMs: number;
  runMs: number;
}

export interface Run {
  taskId: string;
  submitMs: number;
  startMs: number;
  endMs: number;
  /** The earliest time that a reservation of its own ever named. */
  promisedMs: number;
}

/** Replays jobs through one pass per submission and end; returns what ran when. */
export function replay(nodes: readonly SnapshotNode[], jobs: readonly Job[]): Run[] {
  const byId = new Map(jobs.map((job) => [job.task.id, job]));
  const coming = [...jobs].sort((a, b) => a.submitMs - b.submitMs);
  const runs: Run[] = [];
  const promised = new Map<string, number>();
  let now: Snapshot = snapshot({ nodes, nowMs: 0 });
  while (coming.length > 0 || now.allocations.length > 0) {
    now = advance(now, { coming, runs });
    const plan = schedule(now, policy);
    notePromises(now, plan.held, promised);
    for (const start of plan.starts) {
      const job = byId.get(start.taskId);
      if (!job) throw new Error(`${start.taskId} was never submitted`);
      runs.push({
        taskId: start.taskId,
        submitMs: job.submitMs,
        startMs: now.nowMs,
        endMs: now.nowMs + job.runMs,
        promisedMs: promised.get(start.taskId) ?? Infinity,
      });
      now = { ...now, allocations: [...now.allocations, allocationOf(job.task, start, now.nowMs)] };
    }
    const started = new Set(plan.starts.map(({ taskId }) => taskId));
    now = { ...now, held: plan.held, queued: now.queued.filter(({ id }) => !started.has(id)) };
  }
  return runs;
}

function advance(now: Snapshot, { coming, runs }: { coming: Job[]; runs: Run[] }): Snapshot {
  const endOf = new Map(runs.map(({ taskId, endMs }) => [taskId, endMs]));
  const ends = now.allocations.map(({ taskId }) => endOf.get(taskId) ?? Infinity);
  const nowMs = Math.min(coming[0]?.submitMs ?? Infinity, ...ends);
  const queued = [...now.queued];
  while (coming[0] && coming[0].submitMs <= nowMs) queued.push(...coming.splice(0, 1).map(({ task }) => task));
  const allocations = now.allocations.filter(({ taskId }) => (endOf.get(taskId) ?? Infinity) > nowMs);
  return { ...now, nowMs, queued, allocations };
}

function notePromises(now: Snapshot, held: Held, promised: Map<string, number>): void {
  for (const { taskId } of held.reservations) {
    const atMs = explain(now, taskId, policy)?.reservation?.shadowMs ?? Infinity;
    promised.set(taskId, Math.min(atMs, promised.get(taskId) ?? Infinity));
  }
}
