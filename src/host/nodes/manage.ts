import { and, eq, isNull } from 'drizzle-orm';
import { formatDuration } from '../../lib/duration.ts';
import { ProblemError } from '../../protocol/problem.ts';
import { bareEnd } from '../../protocol/task-end.ts';
import type { HostContext } from '../context.ts';
import type { Transaction } from '../store/database.ts';
import { attempts } from '../store/schema.ts';
import { moveTask } from '../tasks/move.ts';
import { changeNode } from './change.ts';
import { countLiveAttempts, findNode, placedTasks, type NodeRow } from './queries.ts';

type Slice = Pick<HostContext, 'writes' | 'clock' | 'wakes' | 'presence'>;

interface Wish {
  ref: string;
  actor: string;
}

/** Takes no new work onto a node; what runs there goes on. @throws ProblemError `not_found` */
export async function drainNode(ctx: Slice, { ref, actor, reason }: Wish & { reason: string }): Promise<NodeRow> {
  const nowMs = ctx.clock.now();
  return changeFound(ctx, { ref, actor, draining: { reason, sinceMs: nowMs, by: actor } });
}

/** @throws ProblemError `not_found` */
export async function undrainNode(ctx: Slice, { ref, actor }: Wish): Promise<NodeRow> {
  return changeFound(ctx, { ref, actor, draining: null });
}

async function changeFound(ctx: Slice, { ref, actor, draining }: Wish & Pick<NodeRow, 'draining'>): Promise<NodeRow> {
  const now = await ctx.writes.run(async (tx) => {
    const row = await findNode(tx, ref);
    return (await changeNode(tx, row, { set: { draining }, type: 'node.updated', atMs: ctx.clock.now(), actor })) ?? row;
  });
  ctx.wakes.reconcile.raise();
  return now;
}

/**
 * Removes a node: its key is dead at once. Work that is on it must have ended, or be given up by `lost`: then it ends
 * as `node_lost`, whatever the machine still does.
 * @throws ProblemError `not_found`, `state_conflict` while work is on it
 */
export async function removeNode(ctx: Slice, { ref, actor, work }: Wish & { work: 'refuse' | 'lost' }): Promise<NodeRow> {
  const removed = await ctx.writes.run(async (tx) => {
    const row = await findNode(tx, ref);
    const live = await countLiveAttempts(tx, row.id);
    if (live > 0 && work === 'refuse') throw stillBusy(ctx, row, live);
    const nowMs = ctx.clock.now();
    if (live > 0) await giveUpWork(tx, row, { actor, nowMs });
    return (await changeNode(tx, row, { set: { removedMs: nowMs }, type: 'node.removed', atMs: nowMs, actor })) ?? row;
  });
  ctx.presence.forget(removed.id);
  ctx.wakes.node(removed.id).raise();
  ctx.wakes.reconcile.raise();
  return removed;
}

function stillBusy(ctx: Slice, row: NodeRow, live: number): ProblemError {
  const contactMs = ctx.presence.lastContactMs(row.id);
  const silence = contactMs === null ? 'not heard of since this Host began' : `last heard of ${formatDuration(ctx.clock.monotonic() - contactMs)} ago`;
  return new ProblemError('state_conflict', `${live} task${live === 1 ? ' is' : 's are'} on ${row.name} (${silence})`, {
    fix: 'drain it and wait, kill the tasks, or give them up: `weir node remove --lost`',
  });
}

async function giveUpWork(tx: Transaction, row: NodeRow, { actor, nowMs }: { actor: string; nowMs: number }): Promise<void> {
  const end = bareEnd('node_lost', `${actor} gave up ${row.name} and what ran on it`);
  await tx
    .update(attempts)
    .set({ state: 'lost', end, endedMs: nowMs })
    .where(and(eq(attempts.node, row.id), isNull(attempts.endedMs)));
  for (const task of await placedTasks(tx, row.id)) {
    await moveTask(tx, task, { to: 'lost', set: { end, endedMs: nowMs, reason: null }, atMs: nowMs, actor });
  }
}
