import { Hono } from 'hono';
import * as v from 'valibot';
import { joinTokenAnswerSchema, joinTokenRequestSchema } from '../../protocol/enrol.ts';
import { listSchema } from '../../protocol/list.ts';
import { nodeViewSchema, type NodeView } from '../../protocol/node-view.ts';
import { strict, text } from '../../protocol/schema.ts';
import { principalOf, requires, type AccessEnv } from '../auth/access.ts';
import type { HostContext } from '../context.ts';
import { lastEventSeq } from '../events/queries.ts';
import { jsonBody } from '../http/body.ts';
import { describe } from '../http/describe.ts';
import { flag, noQuery, reference } from '../http/parameters.ts';
import { validated } from '../http/validate.ts';
import { createJoinToken } from './enrol.ts';
import { drainNode, removeNode, undrainNode } from './manage.ts';
import { findNode, listNodes, placedTasks, type NodeRow } from './queries.ts';
import type { Sessions } from './sessions.ts';
import { toNodeView } from './view.ts';

const nodeParam = strict({ node: reference });
const drainBody = strict({ reason: v.optional(text(255), 'maintenance') });
const removeQuery = strict({ lost: v.optional(flag) });
const oneNode = { status: 200, description: 'The node', schema: nodeViewSchema } as const;

/** `/api/v1/nodes` for people; `runnerRoutes` are for Runners. */
export function nodeRoutes(ctx: HostContext, sessions: Sessions) {
  return new Hono<AccessEnv>()
    .get(
      '/',
      describe({ summary: 'List nodes', tag: 'nodes', answer: { status: 200, description: 'All nodes', schema: listSchema(nodeViewSchema) } }),
      requires('nodes:read'),
      validated('query', noQuery),
      async (c) => c.json(await list(ctx)),
    )
    .post(
      '/join-tokens',
      describe({
        summary: 'Make a join token: one node, once',
        tag: 'nodes',
        answer: { status: 201, description: 'The token, shown only now', schema: joinTokenAnswerSchema },
        errors: [400, 415, 422],
      }),
      requires('nodes:write'),
      validated('query', noQuery),
      jsonBody(),
      validated('json', joinTokenRequestSchema),
      async (c) => {
        const { expires, name } = c.req.valid('json');
        const token = await createJoinToken(ctx, { expiresMs: expires, name, by: principalOf(c).subject });
        return c.json(token, 201);
      },
    )
    .get(
      '/:node',
      describe({ summary: 'One node, by id or name', tag: 'nodes', answer: oneNode, errors: [404] }),
      requires('nodes:read'),
      validated('param', nodeParam),
      validated('query', noQuery),
      async (c) => c.json(await view(ctx, await findNode(ctx.db, c.req.valid('param').node))),
    )
    .post(
      '/:node/drain',
      describe({ summary: 'Take no new work onto a node', tag: 'nodes', answer: oneNode, errors: [404, 422] }),
      requires('nodes:write'),
      validated('param', nodeParam),
      validated('query', noQuery),
      jsonBody(),
      validated('json', drainBody),
      async (c) => {
        const wish = { ref: c.req.valid('param').node, actor: principalOf(c).subject, reason: c.req.valid('json').reason };
        return c.json(await view(ctx, await drainNode(ctx, wish)));
      },
    )
    .post(
      '/:node/undrain',
      describe({ summary: 'Take work onto a node again', tag: 'nodes', answer: oneNode, errors: [404] }),
      requires('nodes:write'),
      validated('param', nodeParam),
      validated('query', noQuery),
      async (c) => {
        const wish = { ref: c.req.valid('param').node, actor: principalOf(c).subject };
        return c.json(await view(ctx, await undrainNode(ctx, wish)));
      },
    )
    .delete(
      '/:node',
      describe({
        summary: 'Remove a node; its key is dead at once',
        tag: 'nodes',
        answer: { status: 204, description: 'Removed' },
        errors: [404, 409, 422],
      }),
      requires('nodes:write'),
      validated('param', nodeParam),
      validated('query', removeQuery),
      async (c) => {
        const work = c.req.valid('query').lost === true ? 'lost' : 'refuse';
        const removed = await removeNode(ctx, { ref: c.req.valid('param').node, actor: principalOf(c).subject, work });
        await sessions.end(removed.id);
        return c.body(null, 204);
      },
    );
}

async function list(ctx: HostContext): Promise<{ items: NodeView[]; cursor: null; asOf: number }> {
  const asOf = await lastEventSeq(ctx.db);
  const placed = await placedTasks(ctx.db);
  const rows = await listNodes(ctx.db);
  const items = rows.map((row) => toNodeView(ctx, row, placed.filter((task) => task.node === row.id)));
  return { items, cursor: null, asOf };
}

async function view(ctx: HostContext, row: NodeRow): Promise<NodeView> {
  return toNodeView(ctx, row, await placedTasks(ctx.db, row.id));
}
