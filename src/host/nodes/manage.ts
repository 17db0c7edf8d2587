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

/** Takes no new work onto a node; what runs there goes on. A drain says that it is to be emptied. @throws ProblemError `not_found` */
export async function closeNode(
  ctx: Slice,
  { ref, actor, kind, reason }: Wish & { kind: 'drain' | 'cordon'; reason: string },
): Promise<NodeRow> {
  const draining = { kind, reason, sinceMs: ctx.clock.now(), by: actor };
  return changeFound(ctx, { ref, actor }, () => ({ draining }));
}

/** Takes work onto it again. @throws ProblemError `not_found` */
export async function openNode(ctx: Slice, wish: Wish): Promise<NodeRow> {
  return changeFound(ctx, wish, () => ({ draining: null }));
}

/** Most labels of a node. */
const mostLabels = 64;

/** Sets labels, and takes away those given as `null`. @throws ProblemError `not_found`, `invalid_field` */
export async function labelNode(
  ctx: Slice,
  { ref, actor, labels }: Wish & { labels: Readonly<Record<string, string | null>> },
): Promise<NodeRow> {
  return changeFound(ctx, { ref, actor }, (row) => {
    const merged = Object.entries({ ...row.labels, ...labels }).filter(
      (pair): pair is [string, string] => pair[1] !== null,
    );
    if (merged.length <= mostLabels) return { labels: Object.fromEntries(merged) };
    throw new ProblemError(
      'invalid_field',
      `field /labels: ${row.name} would have ${merged.length} labels; at most ${mostLabels}`,
    );
  });
}

async function changeFound(
  ctx: Slice,
  { ref, actor }: Wish,
  change: (row: NodeRow) => Partial<NodeRow>,
): Promise<NodeRow> {
  const now = await ctx.writes.run(async (tx) => {
    const row = await findNode(tx, ref);
    return (await changeNode(tx, row, { set: change(row), type: 'node.updated', atMs: ctx.clock.now(), actor })) ?? row;
  });
  ctx.wakes.reconcile.raise();
  return now;
}

/**
 * Removes a node: its key is dead at once. Work that is on it must have ended, or be given up by `lost`: then it ends
 * as `node_lost`, whatever the machine still does.
 * @throws ProblemError `not_found`, `state_conflict` while work is on it
 */
export async function removeNode(
  ctx: Slice,
  { ref, actor, work }: Wish & { work: 'refuse' | 'lost' },
): Promise<NodeRow> {
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
  const silence =
    contactMs === null
      ? 'not heard of since this Host began'
      : `last heard of ${formatDuration(ctx.clock.monotonic() - contactMs)} ago`;
  return new ProblemError('state_conflict', `${live} task${live === 1 ? ' is' : 's are'} on ${row.name} (${silence})`, {
    fix: 'drain it and wait, kill the tasks, or give them up: `weir node remove --lost`',
  });
}

async function giveUpWork(
  tx: Transaction,
  row: NodeRow,
  { actor, nowMs }: { actor: string; nowMs: number },
): Promise<void> {
  const end = bareEnd('node_lost', `${actor} gave up ${row.name} and what ran on it`);
  await tx
    .update(attempts)
    .set({ state: 'lost', end, endedMs: nowMs })
    .where(and(eq(attempts.node, row.id), isNull(attempts.endedMs)));
  for (const task of await placedTasks(tx, row.id)) {
    await moveTask(tx, task, { to: 'lost', set: { end, endedMs: nowMs, reason: null }, atMs: nowMs, actor });
  }
}
