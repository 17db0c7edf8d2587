import { Hono } from 'hono';
import { nodeStates } from '../../protocol/node-view.ts';
import { taskStates } from '../../protocol/task-state.ts';
import { requires, type AccessEnv } from '../auth/access.ts';
import type { HostContext } from '../context.ts';
import { describe } from '../http/describe.ts';
import { noQuery } from '../http/parameters.ts';
import { validated } from '../http/validate.ts';
import { listNodes, placedTasks } from '../nodes/queries.ts';
import { readStatus, type Status } from './read-status.ts';

/** `/metrics`, in Prometheus' text format. */
export function metricsRoutes(ctx: HostContext) {
  const tellStatus = statusGauges(ctx);
  const tellNodes = nodeGauges(ctx);
  return new Hono<AccessEnv>().get(
    '/metrics',
    describe({
      summary: 'Metrics for Prometheus',
      tag: 'cluster',
      answer: { status: 200, description: 'Text format 0.0.4', media: 'text/plain' },
    }),
    requires('metrics:read'),
    validated('query', noQuery),
    async (c) => {
      tellStatus(await readStatus(ctx));
      await tellNodes();
      return c.text(ctx.metrics.render(), 200, { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' });
    },
  );
}

function statusGauges({ metrics, loopLagMs }: Pick<HostContext, 'metrics' | 'loopLagMs'>): (status: Status) => void {
  const tasks = metrics.gauge('weir_tasks', 'Tasks by state.', ['state']);
  const byState = metrics.gauge('weir_nodes', 'Nodes by state.', ['state']);
  const oldest = metrics.gauge('weir_queue_oldest_seconds', 'Age of the oldest queued task, 0 when none waits.');
  const lag = metrics.gauge(
    'weir_loop_lag_seconds',
    'How late the event loop was, 99th percentile since the last look.',
  );
  return (status) => {
    for (const state of taskStates) tasks.set(status.tasks[state] ?? 0, [state]);
    for (const state of nodeStates) byState.set(status.nodes[state] ?? 0, [state]);
    oldest.set(status.queue.oldestSeconds ?? 0);
    lag.set(loopLagMs() / 1000);
  };
}

function nodeGauges({ metrics, db, clock, presence }: HostContext): () => Promise<void> {
  const state = metrics.gauge('weir_node_state', '1 for the state that a node is in.', ['node', 'state']);
  const silence = metrics.gauge('weir_sync_lag_seconds', 'Time since a node was last heard of.', ['node']);
  const gpus = metrics.gauge('weir_gpu_allocated', '1 for a GPU that a task holds.', ['node', 'uuid']);
  return async () => {
    for (const gauge of [state, silence, gpus]) gauge.clear();
    const held = new Set((await placedTasks(db)).flatMap((task) => task.gpus));
    for (const node of await listNodes(db)) {
      for (const one of nodeStates) state.set(one === node.state ? 1 : 0, [node.name, one]);
      const contactMs = presence.lastContactMs(node.id);
      if (contactMs !== null) silence.set((clock.monotonic() - contactMs) / 1000, [node.name]);
      for (const { uuid } of node.capacity?.hardware.gpus ?? []) gpus.set(held.has(uuid) ? 1 : 0, [node.name, uuid]);
    }
  };
}
