import { Hono } from 'hono';
import * as v from 'valibot';
import { toBase64Url } from '../../lib/crypto.ts';
import { streamAudience, tokenTypes } from '../../protocol/credential.ts';
import { ProblemError } from '../../protocol/problem.ts';
import { strict } from '../../protocol/schema.ts';
import { principalOf, requires, type AccessEnv } from '../auth/access.ts';
import type { HostContext } from '../context.ts';
import { describe } from '../http/describe.ts';
import { countParameter, flag, reference } from '../http/parameters.ts';
import { validated } from '../http/validate.ts';
import { findNode, type NodeRow } from '../nodes/queries.ts';
import { findTask, readAttempt } from '../tasks/queries.ts';

const taskParam = strict({ task: reference });
const logsQuery = strict({
  follow: v.optional(flag),
  since: v.optional(countParameter),
  tail: v.optional(countParameter),
  stream: v.optional(v.picklist(['stdout', 'stderr'], 'must be stdout or stderr')),
  attempt: v.optional(countParameter),
});

/** A stream token opens one session, and is dead after this. */
const streamTokenMs = 60_000;
const ndjson = 'application/x-ndjson';

/** `/api/v1/tasks/:task/logs`: the Runner's log, relayed as it comes. */
export function logRoutes(ctx: HostContext) {
  return new Hono<AccessEnv>().get(
    '/:task/logs',
    describe({
      summary: 'Output of a task',
      description:
        'Plain text, or with `Accept: application/x-ndjson` one JSON object a line: `{at, stream, offset, text | base64}`. `Weir-Next-Offset` says where to go on by `since`.',
      tag: 'tasks',
      answer: { status: 200, description: 'The output', media: 'text/plain' },
      errors: [404, 409, 422, 503],
    }),
    requires('tasks:read'),
    validated('param', taskParam),
    validated('query', logsQuery),
    async (c) => {
      const wanted = c.req.valid('query');
      const accept = c.req.header('accept')?.includes(ndjson) ? ndjson : 'text/plain';
      const source = await findSource(ctx, c.req.valid('param').task, wanted.attempt);
      if (source === null) return new Response('', { headers: outHeaders(accept, '0') });
      const by = principalOf(c).subject;
      return relay(ctx, { source, by, accept, search: searchOf(wanted) }, c.req.raw.signal);
    },
  );
}

interface Source {
  task: string;
  attempt: number;
  node: NodeRow;
}

/** Which Runner holds the log; `null` when the task has not been on a node. */
async function findSource(ctx: HostContext, ref: string, wanted: number | undefined): Promise<Source | null> {
  const task = await findTask(ctx.db, ref);
  const number = wanted ?? task.attempt;
  if (number === 0) return null;
  const attempt = await readAttempt(ctx.db, task.id, number);
  if (!attempt) {
    throw new ProblemError('not_found', `${task.id} has no attempt ${number}; the last is ${task.attempt}`);
  }
  const node = await findNode(ctx.db, attempt.node).catch(() => {
    throw new ProblemError('gone', `the log is on ${attempt.nodeName}, which was removed`);
  });
  return { task: task.id, attempt: number, node };
}

interface Relayed {
  source: Source;
  by: string;
  accept: string;
  search: string;
}

async function relay(
  ctx: HostContext,
  { source, by, accept, search }: Relayed,
  signal: AbortSignal,
): Promise<Response> {
  const { node, task, attempt } = source;
  if (node.apiAddress === null || node.boot === null) throw silent(ctx, node);
  const audience = streamAudience(node.id, node.boot);
  const claims = { sub: by, aud: audience, jti: toBase64Url(ctx.random.bytes(16)), purpose: 'logs', task, attempt };
  const token = await ctx.keys.sign(tokenTypes.stream, claims, ctx.clock.now() + streamTokenMs);
  const runner = { id: node.id, apiAddress: node.apiAddress, tlsPin: node.tlsPin };
  const headers = { authorization: `Bearer ${token}`, accept };
  const until = AbortSignal.any([signal, ctx.stopping]);
  const path = `/v1/tasks/${task}/${attempt}/logs${search}`;
  const answer = await ctx.runnerFetch(runner, path, { headers, signal: until }).catch((error: unknown) => {
    throw error instanceof ProblemError ? error : silent(ctx, node, error);
  });
  if (answer.status === 200)
    return new Response(answer.body, { headers: outHeaders(accept, answer.headers.get('weir-next-offset')) });
  await answer.body?.cancel();
  if (answer.status === 404) return new Response('', { headers: outHeaders(accept, '0') });
  throw new ProblemError(
    'node_unreachable',
    `the Runner of ${node.name} did not give the log (status ${answer.status})`,
  );
}

function silent(ctx: HostContext, node: NodeRow, cause?: unknown): ProblemError {
  const contactMs = ctx.presence.lastContactMs(node.id) ?? null;
  const ago =
    contactMs === null
      ? 'not since this Host began'
      : `${Math.round((ctx.clock.monotonic() - contactMs) / 1000)} s ago`;
  const where = node.apiAddress ?? 'an address that it has not told';
  return new ProblemError(
    'node_unreachable',
    `the log is on ${node.name}, which does not answer at ${where} (last contact ${ago})`,
    {
      fix: 'try again when the node is back; check that its port 8001 can be reached from the Host',
      cause,
    },
  );
}

/** Our own header set: nothing of a Runner's answer but the bytes and the offset gets through. */
function outHeaders(accept: string, nextOffset: string | null): Record<string, string> {
  return {
    'content-type': accept === ndjson ? ndjson : 'text/plain; charset=utf-8',
    'x-content-type-options': 'nosniff',
    'content-security-policy': 'sandbox',
    'cache-control': 'no-store',
    ...(nextOffset !== null && /^\d{1,16}$/.test(nextOffset) ? { 'weir-next-offset': nextOffset } : {}),
  };
}

function searchOf({ follow, since, tail, stream }: v.InferOutput<typeof logsQuery>): string {
  const search = new URLSearchParams();
  if (follow === true) search.set('follow', 'true');
  if (since !== undefined) search.set('since', String(since));
  if (tail !== undefined) search.set('tail', String(tail));
  if (stream !== undefined) search.set('stream', stream);
  const text = search.toString();
  return text === '' ? '' : `?${text}`;
}
