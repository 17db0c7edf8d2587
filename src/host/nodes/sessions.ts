import { importJWK, jwtVerify, decodeJwt } from 'jose';
import { fromBase64Url, toBase64Url } from '../../lib/crypto.ts';
import { macInput, parseSessionProof, type SessionAnswer } from '../../protocol/enrol.ts';
import { tokenTypes } from '../../protocol/credential.ts';
import { nodeId, type NodeId } from '../../protocol/ids.ts';
import { ProblemError } from '../../protocol/problem.ts';
import { tokenProblem } from '../auth/keys.ts';
import type { HostContext } from '../context.ts';
import { readNode, type NodeRow } from './queries.ts';

/** A Runner that has proved its key, and the key of its requests. In memory: after a Host restart it proves anew. */
export interface Session {
  node: NodeId;
  key: Uint8Array;
  lastSeq: number;
  expiresMs: number;
}

export interface Sessions {
  /**
   * Begins a session for the Runner that signed this proof.
   * @throws ProblemError `unauthenticated`, `token_expired`, `replayed`
   */
  begin(proof: string): Promise<SessionAnswer>;
  /**
   * The session whose key made this request's MAC.
   * @throws ProblemError `unauthenticated`, `token_expired`, `replayed`
   */
  check(request: { header: string; method: string; path: string; body: string }): Session;
  /** Ends what a node has open. */
  end(node: NodeId): void;
}

const sessionMs = 600_000;
/** A proof is good for so long by the Host's clock, once. */
const proofMs = 60_000;

export function createSessions(ctx: HostContext): Sessions {
  const sessions = new Map<string, Session>();
  const usedProofs = new Map<string, number>();
  const startedMs = ctx.clock.now();

  return {
    async begin(proof) {
      const nowMs = ctx.clock.now();
      const row = await signerOf(ctx, proof);
      const claims = await verifyProof(row, proof, { audience: ctx.cluster.id, nowMs, notBeforeMs: startedMs });
      forget(usedProofs, (untilMs) => untilMs <= nowMs);
      if (usedProofs.has(claims.jti)) throw new ProblemError('replayed', 'this proof of a node was used before');
      usedProofs.set(claims.jti, nowMs + 2 * proofMs);
      forget(sessions, (session) => session.expiresMs <= nowMs);
      const id = toBase64Url(ctx.random.bytes(16));
      const key = ctx.random.bytes(32);
      sessions.set(id, { node: row.id, key, lastSeq: -1, expiresMs: nowMs + sessionMs });
      return {
        session: id,
        key: toBase64Url(key),
        expiresAt: nowMs + sessionMs,
        hostTime: nowMs,
        epoch: ctx.cluster.epoch,
        hostKeys: ctx.keys.publicKeys().map((jwk) => ({ ...jwk })),
      };
    },
    check({ header, method, path, body }) {
      const proof = parseSessionProof(header);
      const session = proof === null ? undefined : sessions.get(proof.session);
      if (!proof || !session) throw new ProblemError('unauthenticated', 'there is no such session: prove the node anew');
      const expected = ctx.hashes.hmac(session.key, macInput({ method, path, bodyHash: ctx.hashes.sha256(body), seq: proof.seq }));
      if (!ctx.hashes.equal(expected, proof.mac)) {
        throw new ProblemError('unauthenticated', 'the request was not made with the key of its session');
      }
      if (proof.seq <= session.lastSeq) throw new ProblemError('replayed', `request ${proof.seq} of this session was made before`);
      if (session.expiresMs <= ctx.clock.now()) throw new ProblemError('token_expired', 'the session is over: prove the node anew');
      session.lastSeq = proof.seq;
      return session;
    },
    end(node) {
      forget(sessions, (session) => session.node === node);
    },
  };
}

function forget<K, V>(map: Map<K, V>, over: (value: V) => boolean): void {
  for (const [key, value] of map) if (over(value)) map.delete(key);
}

/** The node that a proof claims to be of; whether it is, its signature says. */
async function signerOf(ctx: HostContext, proof: string): Promise<NodeRow> {
  const id = nodeId.parse(claimedSubject(proof));
  const row = id === null ? null : await readNode(ctx.db, id);
  if (row === null) throw new ProblemError('unauthenticated', 'there is no such node, or it was removed');
  return row;
}

function claimedSubject(proof: string): string {
  try {
    return decodeJwt(proof).sub ?? '';
  } catch (error) {
    throw tokenProblem(error);
  }
}

async function verifyProof(
  row: NodeRow,
  proof: string,
  { audience, nowMs, notBeforeMs }: { audience: string; nowMs: number; notBeforeMs: number },
): Promise<{ jti: string }> {
  if (fromBase64Url(row.publicKey) === null) throw new Error(`the public key of ${row.id} is not base64url`);
  try {
    const key = await importJWK({ kty: 'OKP', crv: 'Ed25519', x: row.publicKey }, 'EdDSA');
    const { payload } = await jwtVerify(proof, key, {
      algorithms: ['EdDSA'],
      audience,
      subject: row.id,
      typ: tokenTypes.node,
      currentDate: new Date(nowMs),
      clockTolerance: 5,
      maxTokenAge: proofMs / 1000,
    });
    // A proof from before this process began may have been used with the one before it. Whole seconds: `iat` has no more.
    if ((payload.iat ?? 0) < Math.floor(notBeforeMs / 1000)) throw new ProblemError('token_expired', 'the proof is from before this Host\'s start');
    if (typeof payload.jti !== 'string') throw new ProblemError('unauthenticated', 'the proof has no jti');
    return { jti: payload.jti };
  } catch (error) {
    throw error instanceof ProblemError ? error : tokenProblem(error);
  }
}
