import { count, eq, isNull, min } from 'drizzle-orm';
import * as v from 'valibot';
import { lenient, wholeNumber } from '../../protocol/schema.ts';
import type { HostContext } from '../context.ts';
import { nodes, tasks } from '../store/schema.ts';

const counts = v.record(v.string(), wholeNumber);
/** The cluster in one answer. */
export const statusSchema = lenient({
  cluster: v.string(),
  version: v.string(),
  epoch: wholeNumber,
  tasks: counts,
  nodes: counts,
  queue: lenient({ oldestSeconds: v.nullable(v.number()) }),
});

export type Status = v.InferOutput<typeof statusSchema>;

export async function readStatus(ctx: Pick<HostContext, 'db' | 'cluster' | 'version' | 'clock'>): Promise<Status> {
  const byState = await ctx.db.select({ state: tasks.state, amount: count() }).from(tasks).groupBy(tasks.state);
  const nodesByState = await ctx.db
    .select({ state: nodes.state, amount: count() })
    .from(nodes)
    .where(isNull(nodes.removedMs))
    .groupBy(nodes.state);
  const oldest = await ctx.db
    .select({ createdMs: min(tasks.createdMs) })
    .from(tasks)
    .where(eq(tasks.state, 'queued'));
  const sinceMs = oldest[0]?.createdMs ?? null;
  return {
    cluster: ctx.cluster.id,
    version: ctx.version,
    epoch: ctx.cluster.epoch,
    tasks: Object.fromEntries(byState.map(({ state, amount }) => [state, amount])),
    nodes: Object.fromEntries(nodesByState.map(({ state, amount }) => [state, amount])),
    queue: { oldestSeconds: sinceMs === null ? null : Math.max(0, (ctx.clock.now() - sinceMs) / 1000) },
  };
}
