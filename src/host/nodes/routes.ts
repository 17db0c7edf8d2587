import { Hono, type Context } from 'hono';
import * as v from 'valibot';
import { joinTokenAnswerSchema, joinTokenRequestSchema } from '../../protocol/enrol.ts';
import { listSchema } from '../../protocol/list.ts';
import { nodeViewSchema, type NodeView } from '../../protocol/node-view.ts';
import { labelChanges, strict, text } from '../../protocol/schema.ts';
import { principalOf, requires, type AccessEnv } from '../auth/access.ts';
import type { HostContext } from '../context.ts';
import { lastEventSeq } from '../events/queries.ts';
import { jsonBody } from '../http/body.ts';
import { describe } from '../http/describe.ts';
import { flag, noQuery, reference } from '../http/parameters.ts';
import { validated } from '../http/validate.ts';
import { createJoinToken } from './enrol.ts';
import { releaseNode } from './double.ts';
import { closeNode, labelNode, openNode, removeNode } from './manage.ts';
import { findNode, listNodes, placedTasks, type NodeRow } from './queries.ts';
import type { Sessions } from './sessions.ts';
import { toNodeView } from './view.ts';

const nodeParam = strict({ node: reference });
const closeBody = strict({ reason: v.optional(text(255), 'maintenance') });
const changeBody = strict({ labels: labelChanges });
const removeQuery = strict({ lost: v.optional(flag) });
const oneNode = { status: 200, description: 'The node', schema: nodeViewSchema } as const;

/** `/api/v1/nodes` for people; `runnerRoutes` are for Runners. */
export function nodeRoutes(ctx: HostContext, sessions: Sessions) {
  return new Hono<AccessEnv>()
    .get(
      '/',
      describe({
        summary: 'List nodes',
        tag: 'nodes',
        answer: { status: 200, description: 'All nodes', schema: listSchema(nodeViewSchema) },
      }),
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
    .post('/:node/drain', ...closing(ctx, 'drain', 'Take no new work onto a node that is to be emptied'))
    .post('/:node/undrain', ...opening(ctx, 'Take work onto a drained node again'))
    .post('/:node/cordon', ...closing(ctx, 'cordon', 'Take no new work onto a node for a while'))
    .post('/:node/uncordon', ...opening(ctx, 'Take work onto a cordoned node again'))
    .post('/:node/release', ...releasing(ctx))
    .patch(
      '/:node',
      describe({
        summary: 'Set labels of a node; null takes one away',
        tag: 'nodes',
        answer: oneNode,
        errors: [400, 404, 413, 415, 422],
      }),
      requires('nodes:write'),
      validated('param', nodeParam),
      validated('query', noQuery),
      jsonBody(),
      validated('json', changeBody),
      async (c) => {
        const wish = {
          ref: c.req.valid('param').node,
          actor: principalOf(c).subject,
          labels: c.req.valid('json').labels,
        };
        return c.json(await view(ctx, await labelNode(ctx, wish)));
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

type NodeCall = Context<AccessEnv, string, { out: { param: v.InferOutput<typeof nodeParam> } }>;

function closing(ctx: HostContext, kind: 'drain' | 'cordon', summary: string) {
  return [
    describe({ summary, tag: 'nodes', answer: oneNode, errors: [400, 404, 413, 415, 422] }),
    requires('nodes:write'),
    validated('param', nodeParam),
    validated('query', noQuery),
    jsonBody(),
    validated('json', closeBody),
    async (
      c: Context<
        AccessEnv,
        string,
        { out: { param: v.InferOutput<typeof nodeParam>; json: v.InferOutput<typeof closeBody> } }
      >,
    ) => {
      const wish = {
        ref: c.req.valid('param').node,
        actor: principalOf(c).subject,
        kind,
        reason: c.req.valid('json').reason,
      };
      return c.json(await view(ctx, await closeNode(ctx, wish)));
    },
  ] as const;
}

function opening(ctx: HostContext, summary: string) {
  return [
    describe({ summary, tag: 'nodes', answer: oneNode, errors: [404, 422] }),
    requires('nodes:write'),
    validated('param', nodeParam),
    validated('query', noQuery),
    async (c: NodeCall) =>
      c.json(await view(ctx, await openNode(ctx, { ref: c.req.valid('param').node, actor: principalOf(c).subject }))),
  ] as const;
}

function releasing(ctx: HostContext) {
  return [
    describe({
      summary: 'Let a node that two machines claimed to be report again',
      tag: 'nodes',
      answer: oneNode,
      errors: [404, 409, 422],
    }),
    requires('nodes:write'),
    validated('param', nodeParam),
    validated('query', noQuery),
    async (c: NodeCall) =>
      c.json(
        await view(ctx, await releaseNode(ctx, { ref: c.req.valid('param').node, actor: principalOf(c).subject })),
      ),
  ] as const;
}

async function list(ctx: HostContext): Promise<{ items: NodeView[]; cursor: null; asOf: number }> {
  const asOf = await lastEventSeq(ctx.db);
  const placed = await placedTasks(ctx.db);
  const rows = await listNodes(ctx.db);
  const items = rows.map((row) =>
    toNodeView(
      ctx,
      row,
      placed.filter((task) => task.node === row.id),
    ),
  );
  return { items, cursor: null, asOf };
}

async function view(ctx: HostContext, row: NodeRow): Promise<NodeView> {
  return toNodeView(ctx, row, await placedTasks(ctx.db, row.id));
}
