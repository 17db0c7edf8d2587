import { type Context, Hono } from 'hono';
import { type Random, toBase64Url } from '../../lib/crypto.ts';
import type { Logger } from '../../lib/logger.ts';
import type { StreamClaims } from '../../protocol/credential.ts';
import { taskId } from '../../protocol/ids.ts';
import { ProblemError } from '../../protocol/problem.ts';
import type { WorkloadRef } from '../backend/backend.ts';
import type { LogKeeper } from '../logs/log-keeper.ts';
import { logBody } from './log-body.ts';
import { parseLogQuery } from './log-query.ts';
import { createStreamTokens, type StreamTokenOptions } from './stream-tokens.ts';

export interface RunnerApiOptions extends StreamTokenOptions {
  logs: Pick<LogKeeper, 'extent' | 'read'>;
  /** Waits for what is still on its way into the log of an attempt that has ended. */
  whole: (ref: WorkloadRef, signal: AbortSignal) => Promise<void>;
  random: Random;
  log: Logger;
}

export interface RunnerApi {
  fetch(request: Request): Response | Promise<Response>;
  /** Every path there is; `who` says what a request needs. For tests that walk them all. */
  routes: readonly { method: string; path: string; who: 'anybody' | StreamClaims['purpose'] }[];
  /** Ends the streams that are open. */
  endStreams(): void;
}

export const nextOffsetHeader = 'Weir-Next-Offset';

/** Of whatever a workload has written: nothing that a browser would run, keep, or take for ours. */
const foreignHeaders = {
  'X-Content-Type-Options': 'nosniff',
  'Content-Security-Policy': 'sandbox',
  'Cache-Control': 'no-store',
};

type Serve = (c: Context, ref: WorkloadRef) => Promise<Response>;

/** The Runner's HTTP API, for the Host alone: every route but health needs a stream token of the Host. */
export function createRunnerApi(options: RunnerApiOptions): RunnerApi {
  const app = new Hono();
  const takeToken = createStreamTokens(options);
  const closing = new AbortController();
  const routes: RunnerApi['routes'][number][] = [];

  const onAttempt = (purpose: StreamClaims['purpose'], path: string, serve: Serve): void => {
    routes.push({ method: 'GET', path, who: purpose });
    app.get(path, async (c) => {
      const ref = attemptOf(c);
      await takeToken(c.req.header('authorization'), { purpose, ...ref });
      return serve(c, ref);
    });
  };

  routes.push({ method: 'GET', path: '/healthz', who: 'anybody' });
  app.get('/healthz', (c) => c.json({ status: 'ok' }));
  onAttempt('logs', '/v1/tasks/:task/:attempt/logs', (c, ref) =>
    serveLogs(c, ref, { ...options, closing: closing.signal }),
  );
  for (const { path } of routes) app.all(path, (c) => answerMethod(c, options));
  app.notFound((c) => answer(c, new ProblemError('not_found', 'There is no such path on a Runner.'), options));
  app.onError((error, c) => answer(c, error, options));
  return { fetch: (request) => app.fetch(request), routes, endStreams: () => closing.abort() };
}

async function serveLogs(
  c: Context,
  ref: WorkloadRef,
  { logs, whole, closing }: Pick<RunnerApiOptions, 'logs' | 'whole'> & { closing: AbortSignal },
): Promise<Response> {
  const query = parseLogQuery(new URL(c.req.url));
  const format = c.req.header('accept')?.includes('application/x-ndjson') ? 'ndjson' : 'text';
  const signal = AbortSignal.any([c.req.raw.signal, closing]);
  if (query.follow !== 'yes') await whole(ref, signal);
  const extent = await logs.extent(ref);
  if (!extent) throw new ProblemError('not_found', `This node has no log of ${ref.task}, attempt ${ref.attempt}.`);
  const bounded = query.follow === 'yes' ? query : { ...query, until: extent.endOffset };
  const body = logBody((until) => logs.read(ref, bounded, until), format, signal);
  const headers = new Headers(foreignHeaders);
  headers.set('Content-Type', format === 'ndjson' ? 'application/x-ndjson' : 'text/plain; charset=utf-8');
  if (query.follow !== 'yes') headers.set(nextOffsetHeader, String(extent.endOffset));
  return new Response(body, { headers });
}

/** @throws ProblemError `unauthenticated`: before the token is read nobody learns which names are well-formed */
function attemptOf(c: Context): WorkloadRef {
  const task = taskId.parse(c.req.param('task') ?? '');
  const attempt = /^(0|[1-9]\d{0,8})$/.exec(c.req.param('attempt') ?? '')?.[1];
  if (task === null || attempt === undefined) {
    throw new ProblemError('unauthenticated', 'No stream token is made for such a path.');
  }
  return { task, attempt: Number(attempt) };
}

function answerMethod(c: Context, options: RunnerApiOptions): Response {
  const response = answer(c, new ProblemError('method_not_allowed', `${c.req.method} is not offered here.`), options);
  response.headers.set('Allow', 'GET');
  return response;
}

function answer(c: Context, error: Error, { random, log }: Pick<RunnerApiOptions, 'random' | 'log'>): Response {
  const requestId = toBase64Url(random.bytes(9));
  const known =
    error instanceof ProblemError ? error : new ProblemError('internal', 'The Runner failed; its log has the reason.');
  const level = known.code === 'internal' ? 'error' : 'info';
  log[level]({ err: error, requestId, path: c.req.path, code: known.code }, 'a request was refused');
  const headers = new Headers({ 'Content-Type': 'application/problem+json', 'Cache-Control': 'no-store' });
  if (known.status === 401) headers.set('WWW-Authenticate', 'Bearer');
  return new Response(JSON.stringify(known.toProblem(requestId)), { status: known.status, headers });
}
