import { isAbort } from '../../lib/abort.ts';
import type { Clock } from '../../lib/clock.ts';
import { problemSchema } from '../../protocol/problem.ts';
import { apiPrefix } from '../../protocol/version.ts';
import type { Fetch } from '../cli.ts';
import { CliError, isPassing, usageError } from '../cli-error.ts';
import { exitCodeOfStatus, exitCodes } from '../exit-codes.ts';
import type { Connection } from './connection.ts';
import { unreachable } from './network-error.ts';
import { read } from './read.ts';

export type Query = Readonly<Record<string, string | number | readonly string[] | undefined>>;

export interface ApiRequest {
  method?: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  /** Below the API's prefix; parts are escaped by `path`. */
  path: string;
  query?: Query;
  body?: unknown;
  headers?: Readonly<Record<string, string>>;
  /** How long the head of the answer may take. */
  answerMs?: number;
}

/** The Host, spoken to with one credential. Every refusal and every failed connection is a CliError. */
export interface Api {
  /** The JSON of the answer, `null` when it is empty. */
  json(request: ApiRequest, signal: AbortSignal): Promise<unknown>;
  /** Resolves with the head; the chunks of the body come as they come, a cut connection is a CliError `unreachable`. */
  open(request: ApiRequest, signal: AbortSignal): Promise<AsyncIterable<Uint8Array>>;
}

interface ApiOptions {
  connection: Connection;
  fetch: Fetch;
  clock: Clock;
}

const usualAnswerMs = 30_000;

/**
 * Joins parts of a path, each escaped: an id typed by a person is one part, whatever it holds.
 * @throws CliError for what a URL cannot carry as a part: nothing, and dots alone, escaped or not.
 */
export function path(...parts: readonly string[]): string {
  return parts.map(segment).join('');
}

function segment(part: string): string {
  if (/^\.{0,2}$/.test(part)) throw usageError(`"${part}" is neither an id nor a name`);
  return `/${encodeURIComponent(part)}`;
}

export function createApi(options: ApiOptions): Api {
  const { connection } = options;
  return {
    async json(request, signal) {
      const response = await ask(options, request, signal);
      const text = await body(connection, signal, () => response.text());
      return text === '' ? null : parseJson(text);
    },
    async open(request, signal) {
      const response = await ask(options, request, signal);
      return chunksOf(response, (get) => body(connection, signal, get));
    },
  };
}

async function* chunksOf(
  response: Response,
  guard: <T>(get: () => Promise<T>) => Promise<T>,
): AsyncGenerator<Uint8Array> {
  const reader = response.body?.getReader();
  if (!reader) return;
  try {
    for (;;) {
      const { done, value } = await guard(() => reader.read());
      if (done) return;
      yield value;
    }
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}

async function ask(options: ApiOptions, request: ApiRequest, signal: AbortSignal): Promise<Response> {
  const { connection, clock } = options;
  const late = new AbortController();
  const answered = new AbortController();
  const answerMs = request.answerMs ?? usualAnswerMs;
  clock.sleep(answerMs, answered.signal).then(
    () => late.abort(new Error(`it did not answer within ${answerMs / 1000} s`)),
    () => undefined,
  );
  try {
    const response = await options.fetch(urlOf(connection, request), {
      method: request.method ?? 'GET',
      headers: headersOf(connection, request),
      ...(request.body === undefined ? {} : { body: JSON.stringify(request.body) }),
      redirect: 'manual',
      signal: AbortSignal.any([signal, late.signal]),
    });
    return await checked(response, connection, signal);
  } catch (error) {
    throw failure(late.signal.aborted ? late.signal.reason : error, connection, signal);
  } finally {
    answered.abort();
  }
}

function urlOf(connection: Connection, { path: below, query }: ApiRequest): string {
  const search = new URLSearchParams();
  for (const [key, value] of Object.entries(query ?? {})) {
    const values = Array.isArray(value) ? value : [value];
    for (const one of values) if (one !== undefined) search.append(key, String(one));
  }
  const text = search.toString();
  return `${connection.url}${apiPrefix}${below}${text && `?${text}`}`;
}

function headersOf(connection: Connection, request: ApiRequest): Record<string, string> {
  return {
    accept: 'application/json, application/problem+json',
    ...(request.body === undefined ? {} : { 'content-type': 'application/json' }),
    ...request.headers,
    authorization: `Bearer ${connection.token}`,
  };
}

async function checked(response: Response, connection: Connection, signal: AbortSignal): Promise<Response> {
  if (response.ok) return response;
  const { status } = response;
  if (status >= 300 && status < 400) {
    await response.body?.cancel();
    throw new CliError(
      `${connection.url} redirects to ${response.headers.get('location') ?? 'somewhere'}, where the token does not belong`,
      {
        exitCode: exitCodes.refused,
        code: 'redirected',
        fix: 'log in at the other address if it is your Host',
      },
    );
  }
  throw refusal(status, await body(connection, signal, () => response.text()), connection);
}

function refusal(status: number, text: string, connection: Connection): CliError {
  const passing = status === 429 || status >= 502;
  try {
    const problem = read(problemSchema, JSON.parse(text));
    const trace = status >= 500 ? ` [request ${problem.requestId}]` : '';
    return new CliError(`${problem.detail}${trace}`, {
      exitCode: exitCodeOfStatus(status),
      code: problem.code,
      fix: problem.fix,
      errors: problem.errors,
      passing,
    });
  } catch {
    return new CliError(`${connection.url} answered with status ${status}, and not in the way of a Host`, {
      exitCode: exitCodeOfStatus(status),
      code: `http_${status}`,
      fix: 'check that the address is that of a Weir Host, and what stands between',
      passing,
    });
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new CliError('the answer is not JSON', {
      exitCode: exitCodes.failure,
      code: 'bad_answer',
      cause: error,
    });
  }
}

async function body<T>(connection: Connection, signal: AbortSignal, get: () => Promise<T>): Promise<T> {
  try {
    return await get();
  } catch (error) {
    throw failure(error, connection, signal);
  }
}

/** Our own ends and refusals stay as they are; everything else that fetch throws is about the connection. */
function failure(error: unknown, connection: Connection, signal: AbortSignal): unknown {
  if (error instanceof CliError) return error;
  if (isAbort(error, signal) || signal.aborted) return signal.reason;
  return unreachable(error, connection);
}

interface Patience {
  clock: Clock;
  backoff: { nextMs(): number };
  /** Told each time that the Host is away or busy, before the wait. */
  onTrouble(error: CliError): void;
}

/** Repeats `attempt` while its failure is one that a moment may cure, until the signal aborts. */
export async function patiently<T>(
  { clock, backoff, onTrouble }: Patience,
  attempt: () => Promise<T>,
  signal: AbortSignal,
): Promise<T> {
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (!isPassing(error)) throw error;
      onTrouble(error);
      await clock.sleep(backoff.nextMs(), signal);
    }
  }
}
