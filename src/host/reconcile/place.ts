import { and, inArray, isNull } from 'drizzle-orm';
import { allSettled } from '../../lib/all-settled.ts';
import type { NodeId, TaskId } from '../../protocol/ids.ts';
import { nodeId, taskId } from '../../protocol/ids.ts';
import type { HostContext } from '../context.ts';
import type { Plan, Start } from '../scheduling/plan.ts';
import { schedule } from '../scheduling/schedule.ts';
import { bumpGeneration } from '../store/generation.ts';
import type { Transaction } from '../store/database.ts';
import { attempts, nodes, tasks } from '../store/schema.ts';
import { moveTask } from '../tasks/move.ts';
import { readSnapshot, schedulingPolicy } from '../tasks/snapshot.ts';
import type { TaskRow } from '../tasks/view.ts';

type Slice = Pick<
  HostContext,
  'db' | 'writes' | 'clock' | 'config' | 'presence' | 'wakes' | 'planMemory' | 'metrics' | 'log'
>;

/** Tasks changed in one write: others' writes come between. */
const chunk = 200;

/** One placement pass: read, decide, do. Answers when it wants to be called again, in ms. */
export async function placeTasks(ctx: Slice): Promise<number | undefined> {
  const held = ctx.planMemory.last()?.held ?? { reservations: [] };
  const snapshot = await readSnapshot(ctx, ctx.db, held);
  const plan = schedule(snapshot, schedulingPolicy(ctx.config));
  ctx.planMemory.keep(plan);
  for (let from = 0; from < plan.starts.length; from += chunk) {
    const placed = await assign(ctx, plan.starts.slice(from, from + chunk));
    for (const node of placed) ctx.wakes.node(node).raise();
  }
  await tellReasons(ctx, plan);
  return plan.nextWakeMs === null ? undefined : Math.max(0, plan.nextWakeMs - snapshot.nowMs);
}

/** Writes starts of the plan, each only if its task is still queued and its node still there. */
async function assign(ctx: Slice, starts: readonly Start[]): Promise<Set<NodeId>> {
  return ctx.writes.run(async (tx) => {
    const atMs = ctx.clock.now();
    const rows = await rowsOf(
      tx,
      starts.map((start) => start.taskId),
    );
    const names = await nodeNames(
      tx,
      starts.map((start) => start.nodeId),
    );
    const wanted = starts.flatMap((start) => {
      const row = rows.get(start.taskId);
      const node = nodeId.parse(start.nodeId);
      const nodeName = names.get(start.nodeId);
      if (!row || row.state !== 'queued' || node === null || nodeName === undefined) return [];
      return [{ row, place: { node, nodeName, gpus: start.gpuUuids, atMs } }];
    });
    const generations = new Map<NodeId, number>();
    for (const node of new Set(wanted.map(({ place }) => place.node)))
      generations.set(node, await bumpGeneration(tx, node));
    await allSettled(
      wanted.map(({ row, place }) => assignOne(tx, row, { ...place, generation: generations.get(place.node) ?? 0 })),
    );
    return new Set(generations.keys());
  });
}

interface Place {
  node: NodeId;
  nodeName: string;
  gpus: readonly string[];
  generation: number;
  atMs: number;
}

async function assignOne(tx: Transaction, row: TaskRow, place: Place): Promise<void> {
  const { node, nodeName, gpus, generation, atMs } = place;
  const attempt = row.attempt + 1;
  await tx.insert(attempts).values({
    task: row.id,
    attempt,
    node,
    nodeName,
    gpus,
    state: 'assigned',
    generation,
    observed: null,
    stuck: false,
    assignedMs: atMs,
  });
  const set = { node, nodeName, gpus, attempt, reason: null, startedMs: null };
  if ((await moveTask(tx, row, { to: 'assigned', set, atMs })) === null) {
    throw new Error(`${row.id} moved on inside its own transaction`);
  }
}

async function rowsOf(tx: Transaction, ids: readonly string[]): Promise<Map<string, TaskRow>> {
  const known = ids.flatMap((id) => taskId.parse(id) ?? []);
  const rows = known.length === 0 ? [] : await tx.select().from(tasks).where(inArray(tasks.id, known));
  return new Map(rows.map((row) => [row.id, row]));
}

async function nodeNames(tx: Transaction, ids: readonly string[]): Promise<Map<string, string>> {
  const known = [...new Set(ids)].flatMap((id) => nodeId.parse(id) ?? []);
  const there = and(inArray(nodes.id, known), isNull(nodes.removedMs));
  const rows = await tx.select({ id: nodes.id, name: nodes.name }).from(nodes).where(there);
  return new Map(rows.map((row) => [row.id, row.name]));
}

/** Stores why tasks wait where it is not what was said before. */
async function tellReasons(ctx: Slice, plan: Plan): Promise<void> {
  const changed = await changedReasons(ctx, plan);
  for (let from = 0; from < changed.length; from += chunk) {
    await ctx.writes.run(async (tx) => {
      const part = changed.slice(from, from + chunk);
      const rows = await rowsOf(
        tx,
        part.map(({ id }) => id),
      );
      const told = part.flatMap(({ id, reason }) => {
        const row = rows.get(id);
        return row?.state === 'queued'
          ? [moveTask(tx, row, { to: 'queued', set: { reason }, atMs: ctx.clock.now() })]
          : [];
      });
      await allSettled(told);
    });
  }
}

async function changedReasons(
  ctx: Slice,
  plan: Plan,
): Promise<{ id: TaskId; reason: NonNullable<TaskRow['reason']> }[]> {
  const ids = [...plan.reasons.keys()];
  const changed: { id: TaskId; reason: NonNullable<TaskRow['reason']> }[] = [];
  for (let from = 0; from < ids.length; from += idsAtOnce) {
    const part = ids.slice(from, from + idsAtOnce).flatMap((id) => taskId.parse(id) ?? []);
    const rows = await ctx.db.select({ id: tasks.id, reason: tasks.reason }).from(tasks).where(inArray(tasks.id, part));
    for (const row of rows) {
      const now = plan.classes[plan.reasons.get(row.id) ?? -1];
      if (!now || (row.reason?.code === now.code && row.reason.message === now.message)) continue;
      changed.push({ id: row.id, reason: { code: now.code, message: now.message, advice: now.advice } });
    }
  }
  return changed;
}

/** Bound values of one statement are bounded by SQLite at 32,766. */
const idsAtOnce = 5000;
