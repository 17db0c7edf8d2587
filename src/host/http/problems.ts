import type { Context, Hono } from 'hono';
import type { Logger } from '../../lib/logger.ts';
import { ProblemError } from '../../protocol/problem.ts';
import type { AccessEnv } from '../auth/access.ts';

const mediaType = 'application/problem+json';

/** The answer for an error: ours as it is, any other as `internal` with its cause in the log alone. */
export function problemResponse(error: unknown, c: Context<AccessEnv>, log: Logger): Response {
  const problem = error instanceof ProblemError ? error : internal(error, c, log);
  const headers: Record<string, string> = { 'content-type': mediaType };
  if (problem.status === 401) headers['www-authenticate'] = 'Bearer realm="weir"';
  const { retryAfterSeconds } = problem.details;
  if (retryAfterSeconds !== undefined) headers['retry-after'] = String(retryAfterSeconds);
  return c.body(JSON.stringify(problem.toProblem(c.get('requestId'))), problem.status, headers);
}

function internal(error: unknown, c: Context<AccessEnv>, log: Logger): ProblemError {
  log.error({ err: error, requestId: c.get('requestId'), path: c.req.path }, 'a request failed');
  return new ProblemError('internal', 'the Host could not answer; its log says why under this request id');
}

/** What no route answers: 405 with `Allow` when the path has other methods, else 404. */
export function unrouted(app: Hono<AccessEnv>, c: Context<AccessEnv>): Response {
  const allowed = new Set<string>();
  for (const method of ['GET', 'POST', 'PUT', 'PATCH', 'DELETE']) {
    const [found] = app.router.match(method, c.req.path);
    if (found.some(([[, route]]) => route.method === method)) allowed.add(method);
  }
  if (allowed.size === 0) throw new ProblemError('not_found', `there is nothing at ${c.req.path}`);
  c.header('Allow', [...allowed].join(', '));
  throw new ProblemError('method_not_allowed', `${c.req.method} is not offered at ${c.req.path}`, {
    fix: `use ${[...allowed].join(' or ')}`,
  });
}
