import { and, eq, isNull } from 'drizzle-orm';
import { appendEvents } from '../events/append.ts';
import type { HostContext } from '../context.ts';
import { nodes } from '../store/schema.ts';
import { judgeNodes, type Verdict } from './judge.ts';

type Slice = Pick<HostContext, 'db' | 'writes' | 'clock' | 'config' | 'presence' | 'log' | 'wakes'>;

/** What the judge of this process remembers; a restart starts it anew, with its grace. */
export interface JudgeMemory {
  /** Monotonic ms before which silence counts for nothing. */
  countsFromMs: number;
  lastTickMs: number;
}

export function newJudgeMemory(ctx: Pick<Slice, 'clock' | 'config'>): JudgeMemory {
  const nowMs = ctx.clock.monotonic();
  return { countsFromMs: nowMs, lastTickMs: nowMs };
}

/** One look at the silence of all nodes. A stall of this process counts as its own fault, like a start. */
export async function watchNodes(ctx: Slice, memory: JudgeMemory): Promise<void> {
  const nowMs = ctx.clock.monotonic();
  const stalledMs = nowMs - memory.lastTickMs;
  memory.lastTickMs = nowMs;
  if (stalledMs > ctx.config.stallMs) {
    ctx.log.warn({ stalledMs: Math.round(stalledMs) }, 'this Host stalled; no node is judged for a while');
    memory.countsFromMs = nowMs;
  }
  if (nowMs < memory.countsFromMs + ctx.config.judgeGraceMs) return;
  const rows = await ctx.db.select({ id: nodes.id, state: nodes.state }).from(nodes).where(isNull(nodes.removedMs));
  const judged = rows.map(({ id, state }) => {
    const contactMs = Math.max(ctx.presence.lastContactMs(id) ?? 0, memory.countsFromMs);
    return { id, state, silentMs: nowMs - contactMs };
  });
  const verdicts = judgeNodes(judged, ctx.config);
  if (verdicts.length > 0) await applyVerdicts(ctx, verdicts);
}

async function applyVerdicts(ctx: Slice, verdicts: readonly Verdict[]): Promise<void> {
  await ctx.writes.run(async (tx) => {
    for (const { id, from, to } of verdicts) {
      const rows = await tx
        .select()
        .from(nodes)
        .where(and(eq(nodes.id, id), eq(nodes.state, from)));
      const [row] = rows;
      if (!row) continue;
      const rev = row.rev + 1;
      await tx.update(nodes).set({ state: to, rev }).where(eq(nodes.id, id));
      await appendEvents(tx, [
        {
          atMs: ctx.clock.now(),
          type: `node.${to}`,
          subject: { kind: 'node', id },
          rev,
          data: { id, name: row.name, state: to },
        },
      ]);
    }
  });
  for (const { id, to } of verdicts) ctx.log.warn({ node: id }, `node ${id} is ${to}: it has been silent`);
  ctx.wakes.reconcile.raise();
}
