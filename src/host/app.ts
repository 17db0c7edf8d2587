import { Hono } from 'hono';
import { generateSpecs } from 'hono-openapi';
import { hostTimeHeader, apiPrefix } from '../protocol/version.ts';
import { ProblemError } from '../protocol/problem.ts';
import { missingCredential, open, type AccessEnv } from './auth/access.ts';
import { bearerOf } from './auth/bearer.ts';
import type { HostContext } from './context.ts';
import { eventRoutes } from './events/routes.ts';
import { checkHostName } from './http/host-name.ts';
import { problemResponse, unrouted } from './http/problems.ts';
import { nodeRoutes } from './nodes/routes.ts';
import { runnerRoutes } from './nodes/runner-routes.ts';
import { createSessions } from './nodes/sessions.ts';
import { logRoutes } from './relay/logs.ts';
import { apiPage, apiPageSecurityPolicy } from './status/api-page.ts';
import { metricsRoutes } from './status/metrics.ts';
import { clusterRoutes } from './status/routes.ts';
import { healthRoutes } from './status/health.ts';
import { taskRoutes } from './tasks/routes.ts';
import { taskVerbRoutes } from './tasks/verb-routes.ts';

/** Paths that answer without an API token: they are open, or prove their caller by themselves. */
const ownProof = ['enrol', 'session', 'sync'].map((name) => `${apiPrefix}/runner/${name}`);
const withoutToken = new Set(['/healthz', '/readyz', '/openapi.json', '/docs', ...ownProof]);

/** The whole HTTP side of the Host. */
export function createApp(ctx: HostContext) {
  const sessions = createSessions(ctx);
  const app = new Hono<AccessEnv>();
  const requestSeconds = ctx.metrics.histogram('weir_http_request_seconds', 'Time to the head of an answer.', {
    buckets: [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 30],
    labels: ['route', 'status'],
  });

  app.use('*', async (c, next) => {
    const startMs = ctx.clock.monotonic();
    c.set('requestId', requestId(ctx));
    c.set('principal', null);
    await next();
    c.header('x-request-id', c.get('requestId'));
    c.header(hostTimeHeader, String(ctx.clock.now()));
    c.header('x-content-type-options', 'nosniff');
    requestSeconds.observe((ctx.clock.monotonic() - startMs) / 1000, [c.req.routePath, String(c.res.status)]);
  });
  // Stands before the router: what is not open needs a token, whether there is such a path or not.
  app.use('*', async (c, next) => {
    checkHostName(ctx.config.hostNames, c.req.raw);
    if (!withoutToken.has(c.req.path)) {
      c.set('principal', await ctx.authenticator.principalOf(bearerToken(c.req.header('authorization'))));
    }
    await next();
  });
  app.onError((error, c) => problemResponse(error, c, ctx.log));
  app.notFound((c) => unrouted(app, c));

  const routes = app
    .route('/', healthRoutes(ctx))
    .route('/', metricsRoutes(ctx))
    .route(apiPrefix, clusterRoutes(ctx))
    .route(`${apiPrefix}/tasks`, taskRoutes(ctx))
    .route(`${apiPrefix}/tasks`, taskVerbRoutes(ctx))
    .route(`${apiPrefix}/tasks`, logRoutes(ctx))
    .route(`${apiPrefix}/nodes`, nodeRoutes(ctx, sessions))
    .route(`${apiPrefix}/runner`, runnerRoutes(ctx, sessions))
    .route(`${apiPrefix}/events`, eventRoutes(ctx));

  let document: Promise<unknown> | null = null;
  const describeAll = (): Promise<unknown> => (document ??= openApiDocument(ctx, app));
  return routes
    .get('/openapi.json', open(), async (c) => c.json(await describeAll()))
    .get('/docs', open(), async (c) =>
      c.html(apiPage(await describeAll()), 200, { 'content-security-policy': apiPageSecurityPolicy }),
    );
}

/** Type of the API, for clients that take types alone. */
export type HostApi = ReturnType<typeof createApp>;

function bearerToken(header: string | undefined): string {
  const token = bearerOf(header);
  if (token !== null) return token;
  if (header === undefined) throw missingCredential();
  throw new ProblemError('unauthenticated', 'the Authorization header is not "Bearer" and a token');
}

function requestId(ctx: HostContext): string {
  return [...ctx.random.bytes(8)].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}

async function openApiDocument(ctx: HostContext, app: Hono<AccessEnv>): Promise<unknown> {
  return generateSpecs(app, {
    documentation: {
      openapi: '3.1.0',
      info: { title: 'Weir', version: ctx.version, description: 'The API of a Weir Host.' },
      components: { securitySchemes: { token: { type: 'http', scheme: 'bearer' } } },
      security: [{ token: [] }],
    },
    excludeStaticFile: false,
    exclude: ['/openapi.json', '/docs'],
    defaultValidationErrorResponse: false,
  });
}
