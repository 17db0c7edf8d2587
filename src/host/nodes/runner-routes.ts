import { Hono, type MiddlewareHandler } from 'hono';
import { createMiddleware } from 'hono/factory';
import { enrolAnswerSchema, enrolRequestSchema, sessionAnswerSchema } from '../../protocol/enrol.ts';
import { ProblemError } from '../../protocol/problem.ts';
import { syncAnswerSchema, syncRequestSchema } from '../../protocol/sync.ts';
import { markAccess, type AccessEnv } from '../auth/access.ts';
import { bearerOf } from '../auth/bearer.ts';
import type { HostContext } from '../context.ts';
import { batchBody, jsonBody } from '../http/body.ts';
import { describe } from '../http/describe.ts';
import { validated } from '../http/validate.ts';
import { enrolNode } from './enrol.ts';
import { noSession, type Session, type Sessions } from './sessions.ts';
import { createHeld, syncNode } from './sync.ts';

type RunnerEnv = { Variables: AccessEnv['Variables'] & { session: Session; bearer: string } };

/** `/api/v1/runner`: what Runners call. Enrolment goes by a join token, the rest by the node's own key. */
export function runnerRoutes(ctx: HostContext, sessions: Sessions) {
  const held = createHeld();
  const syncs = ctx.metrics.counter('weir_sync_total', 'Sync calls that were answered.', ['result']);
  return new Hono<RunnerEnv>()
    .post(
      '/enrol',
      describe({
        summary: 'Become a node (join token)',
        tag: 'runner',
        answer: { status: 201, description: 'The node', schema: enrolAnswerSchema },
        errors: [400, 415, 422],
      }),
      bearer('join'),
      jsonBody(),
      validated('json', enrolRequestSchema),
      async (c) => c.json(await enrolNode(ctx, c.get('bearer'), c.req.valid('json')), 201),
    )
    .post(
      '/session',
      describe({
        summary: 'Prove the key of a node, get the key of a session',
        tag: 'runner',
        answer: { status: 201, description: 'The session', schema: sessionAnswerSchema },
      }),
      bearer('runner'),
      async (c) => c.json(await sessions.begin(c.get('bearer')), 201),
    )
    .post(
      '/sync',
      describe({
        summary: 'Report what is observed, get what is desired; held open until there is something new',
        tag: 'runner',
        answer: { status: 200, description: 'What is desired', schema: syncAnswerSchema },
        errors: [400, 413, 415, 422],
      }),
      ofSession(sessions),
      jsonBody(batchBody),
      inSession(sessions),
      validated('json', syncRequestSchema),
      async (c) => {
        const turn = { node: c.get('session').node, held, request: c.req.valid('json') };
        const answer = await syncNode(ctx, turn, c.req.raw.signal);
        syncs.add(1, [
          answer.superseded ? 'superseded' : answer.desired ? 'desired' : answer.acked.length > 0 ? 'report' : 'idle',
        ]);
        return c.json(answer);
      },
    );
}

/** Takes the bearer token out; the verb behind it verifies it, since only it knows of which kind it must be. */
function bearer(kind: 'join' | 'runner'): MiddlewareHandler<RunnerEnv> {
  const middleware = createMiddleware<RunnerEnv>(async (c, next) => {
    const token = bearerOf(c.req.header('authorization'));
    if (token === null) {
      throw new ProblemError(
        'unauthenticated',
        kind === 'join' ? 'a join token is needed' : "a proof of the node's key is needed",
        {
          fix: kind === 'join' ? 'make one: `weir node join-token`' : 'sign one with the key of the node',
        },
      );
    }
    c.set('bearer', token);
    await next();
  });
  return markAccess({ kind }, middleware);
}

/** Stands before the body is read: nobody without a session makes the Host hold one. */
function ofSession(sessions: Sessions): MiddlewareHandler<RunnerEnv> {
  return createMiddleware<RunnerEnv>(async (c, next) => {
    if (!(await sessions.has(c.req.header('authorization') ?? ''))) throw noSession();
    await next();
  });
}

function inSession(sessions: Sessions): MiddlewareHandler<RunnerEnv> {
  const middleware = createMiddleware<RunnerEnv>(async (c, next) => {
    const header = c.req.header('authorization') ?? '';
    const session = await sessions.check({ header, method: c.req.method, path: c.req.path, body: await c.req.text() });
    c.set('session', session);
    await next();
  });
  return markAccess({ kind: 'runner' }, middleware);
}
