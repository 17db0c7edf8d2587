import { count, eq, isNull, min } from 'drizzle-orm';
import { Hono } from 'hono';
import * as v from 'valibot';
import { lenient, wholeNumber } from '../../protocol/schema.ts';
import { taskStates } from '../../protocol/task-state.ts';
import { nodeStates } from '../../protocol/node-view.ts';
import { principalOf, requires, type AccessEnv } from '../auth/access.ts';
import type { HostContext } from '../context.ts';
import { describe } from '../http/describe.ts';
import { noQuery } from '../http/parameters.ts';
import { validated } from '../http/validate.ts';
import { nodes, tasks } from '../store/schema.ts';

const counts = v.record(v.string(), wholeNumber);
const statusSchema = lenient({
  cluster: v.string(),
  version: v.string(),
  epoch: wholeNumber,
  tasks: counts,
  nodes: counts,
  queue: lenient({ oldestSeconds: v.nullable(v.number()) }),
});
const whoamiSchema = lenient({ subject: v.string(), credential: v.string(), scopes: v.array(v.string()) });

/** `/metrics`, in Prometheus' text format. */
export function metricsRoutes(ctx: HostContext) {
  const gauges = statusGauges(ctx);
  return new Hono<AccessEnv>().get(
    '/metrics',
    describe({ summary: 'Metrics for Prometheus', tag: 'cluster', answer: { status: 200, description: 'Text format 0.0.4', media: 'text/plain' } }),
    requires('metrics:read'),
    async (c) => {
      gauges(await readStatus(ctx));
      return c.text(ctx.metrics.render(), 200, { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' });
    },
  );
}

/** What concerns the cluster as a whole. */
export function clusterRoutes(ctx: HostContext) {
  return new Hono<AccessEnv>()
    .get(
      '/status',
      describe({ summary: 'The cluster in one answer', tag: 'cluster', answer: { status: 200, description: 'The state', schema: statusSchema } }),
      requires('tasks:read'),
      validated('query', noQuery),
      async (c) => c.json(await readStatus(ctx)),
    )
    .get(
      '/whoami',
      describe({ summary: 'Whose token this is', tag: 'cluster', answer: { status: 200, description: 'Its holder', schema: whoamiSchema } }),
      requires('tasks:read'),
      validated('query', noQuery),
      (c) => {
        const { subject, credential, scopes } = principalOf(c);
        return c.json({ subject, credential, scopes: [...scopes] });
      },
    );
}

type Status = v.InferOutput<typeof statusSchema>;

async function readStatus(ctx: Pick<HostContext, 'db' | 'cluster' | 'version' | 'clock'>): Promise<Status> {
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

function statusGauges({ metrics }: Pick<HostContext, 'metrics'>): (status: Status) => void {
  const taskGauge = metrics.gauge('weir_tasks', 'Tasks by state.', ['state']);
  const nodeGauge = metrics.gauge('weir_nodes', 'Nodes by state.', ['state']);
  const oldest = metrics.gauge('weir_queue_oldest_seconds', 'Age of the oldest queued task, 0 when none waits.');
  return (status) => {
    for (const state of taskStates) taskGauge.set(status.tasks[state] ?? 0, [state]);
    for (const state of nodeStates) nodeGauge.set(status.nodes[state] ?? 0, [state]);
    oldest.set(status.queue.oldestSeconds ?? 0);
  };
}
