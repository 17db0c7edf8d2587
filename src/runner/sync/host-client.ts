import type { Clock } from '../../lib/clock.ts';
import { fromBase64Url, type Hashes } from '../../lib/crypto.ts';
import { hostTimeHeader, apiPrefix } from '../../protocol/version.ts';
import { formatSessionProof, macInput, sessionAnswerSchema, type SessionAnswer } from '../../protocol/enrol.ts';
import { problemSchema, type Problem } from '../../protocol/problem.ts';
import { syncAnswerSchema, type SyncAnswer, type SyncRequest } from '../../protocol/sync.ts';
import * as v from 'valibot';
import type { HostClock } from '../time/host-clock.ts';

export interface HostClientOptions {
  url: string;
  /** Pinned where the Host speaks TLS. */
  fetch: (input: string, init: RequestInit) => Promise<Response>;
  clock: Clock;
  hostClock: HostClock;
  hashes: Hashes;
  /** Signs a proof of this node's key, made at `nowMs` (Host time). */
  proof: (nowMs: number) => Promise<string>;
  /** Told of each session: the Host's public keys may have changed. */
  onSession: (session: SessionAnswer) => void;
}

/** The Host's refusal of a Runner's call. */
export class HostRefusal extends Error {
  override readonly name = 'HostRefusal';
  readonly problem: Problem;

  constructor(problem: Problem) {
    super(`the Host refused: ${problem.detail} (${problem.code})`);
    this.problem = problem;
  }
}

/** The Runner's end of the wire: proves its key, signs each request under the session. */
export interface HostClient {
  /** @throws HostRefusal, or what `fetch` throws when the Host cannot be reached */
  sync(request: SyncRequest, signal: AbortSignal): Promise<SyncAnswer>;
}

interface Session {
  id: string;
  key: Uint8Array;
  nextSeq: number;
  expiresAt: number;
}

/** A session is renewed so long before it is over. */
const renewMs = 60_000;

export function createHostClient(options: HostClientOptions): HostClient {
  const { hostClock } = options;
  let current: Promise<Session> | null = null;

  const session = async (signal: AbortSignal): Promise<Session> => {
    const known = await current?.catch(() => null);
    if (known && known.expiresAt - renewMs > hostClock.now()) return known;
    current = beginSession(options, signal);
    return current;
  };

  return {
    async sync(request, signal) {
      const path = `${apiPrefix}/runner/sync`;
      const body = JSON.stringify(request);
      for (let tries = 1; ; tries += 1) {
        const open = await session(signal);
        const authorization = sign(options, open, { path, body });
        const answer = await call(options, { path, body, authorization }, signal);
        if (answer.ok) return v.parse(syncAnswerSchema, await answer.json());
        const problem = await readProblem(answer);
        // The Host began anew, or the session is over: the key is proved again, once.
        if (problem.status !== 401 || tries > 1) throw new HostRefusal(problem);
        current = null;
      }
    },
  };
}

async function beginSession(options: HostClientOptions, signal: AbortSignal): Promise<Session> {
  for (let tries = 1; ; tries += 1) {
    const proof = await options.proof(options.hostClock.now());
    const answer = await call(
      options,
      { path: `${apiPrefix}/runner/session`, body: '', authorization: `Bearer ${proof}` },
      signal,
    );
    if (answer.ok) return opened(options, v.parse(sessionAnswerSchema, await answer.json()));
    const problem = await readProblem(answer);
    // The answer told the Host's time: a proof that was too old is made anew with it.
    if (problem.code !== 'token_expired' || tries > 1) throw new HostRefusal(problem);
  }
}

function opened({ onSession }: HostClientOptions, answer: SessionAnswer): Session {
  const key = fromBase64Url(answer.key);
  if (key === null) throw new Error('the Host answered a session key that is not base64url');
  onSession(answer);
  return { id: answer.session, key, nextSeq: 0, expiresAt: answer.expiresAt };
}

function sign({ hashes }: HostClientOptions, session: Session, { path, body }: { path: string; body: string }): string {
  const seq = session.nextSeq;
  session.nextSeq += 1;
  const mac = hashes.hmac(session.key, macInput({ method: 'POST', path, bodyHash: hashes.sha256(body), seq }));
  return formatSessionProof({ session: session.id, seq, mac });
}

async function call(
  { url, fetch, clock, hostClock }: HostClientOptions,
  { path, body, authorization }: { path: string; body: string; authorization: string },
  signal: AbortSignal,
): Promise<Response> {
  const sentMs = clock.monotonic();
  const headers = { authorization, ...(body === '' ? {} : { 'content-type': 'application/json' }) };
  const answer = await fetch(`${url}${path}`, { method: 'POST', headers, ...(body === '' ? {} : { body }), signal });
  const told = Number(answer.headers.get(hostTimeHeader) ?? Number.NaN);
  if (Number.isSafeInteger(told)) hostClock.learn(told, sentMs);
  return answer;
}

async function readProblem(answer: Response): Promise<Problem> {
  const text = await answer.text();
  try {
    return v.parse(problemSchema, JSON.parse(text));
  } catch (error) {
    throw new Error(`the Host answered ${answer.status} without saying why`, { cause: error });
  }
}
