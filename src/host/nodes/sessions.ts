import { decodeJwt, errors, importJWK, jwtVerify } from 'jose';
import { fromBase64Url, toBase64Url } from '../../lib/crypto.ts';
import { macInput, parseSessionProof, type SessionAnswer } from '../../protocol/enrol.ts';
import { tokenTypes } from '../../protocol/credential.ts';
import { nodeId, type NodeId } from '../../protocol/ids.ts';
import { ProblemError } from '../../protocol/problem.ts';
import { tokenProblem } from '../auth/keys.ts';
import type { HostContext } from '../context.ts';
import { readNode, type NodeRow } from './queries.ts';

/** A request of a Runner that was proved. */
export interface Session {
  node: NodeId;
}

export interface Sessions {
  /**
   * Begins a session for the Runner that signed this proof.
   * @throws ProblemError `unauthenticated`, `token_expired`, `replayed`
   */
  begin(proof: string): Promise<SessionAnswer>;
  /** Whether a request's header names a session that may be open; its MAC says more. */
  has(header: string): Promise<boolean>;
  /**
   * The session whose key made this request's MAC.
   * @throws ProblemError `unauthenticated`, `token_expired`, `replayed`
   */
  check(request: { header: string; method: string; path: string; body: string }): Promise<Session>;
  /** Ends what a node has open. */
  end(node: NodeId): Promise<void>;
}

const sessionMs = 600_000;
/** A proof is good for so long by the Host's clock, once. */
const proofMs = 60_000;

export function createSessions(ctx: HostContext): Sessions {
  const table = ctx.sessionTable;
  return {
    async begin(proof) {
      const nowMs = ctx.clock.now();
      const row = await signerOf(ctx, proof);
      const claims = await verifyProof(row, proof, { audience: ctx.cluster.id, nowMs, notBeforeMs: table.sinceMs });
      const expiresMs = nowMs + sessionMs;
      const begun = await table.begin({ node: row.id, proofHash: ctx.hashes.sha256(claims.jti), nowMs, expiresMs });
      if (begun === null) throw new ProblemError('replayed', 'this proof of a node was used before');
      return {
        session: begun.id,
        key: toBase64Url(begun.key),
        expiresAt: expiresMs,
        hostTime: nowMs,
        epoch: ctx.cluster.epoch,
        hostKeys: ctx.keys.publicKeys().map((jwk) => ({ ...jwk })),
      };
    },
    async has(header) {
      const proof = parseSessionProof(header);
      return proof !== null && (await table.keyOf(proof.session)) !== null;
    },
    async check({ header, method, path, body }) {
      const proof = parseSessionProof(header);
      const key = proof === null ? null : await table.keyOf(proof.session);
      if (proof === null || key === null) throw noSession();
      const expected = ctx.hashes.hmac(
        key,
        macInput({ method, path, bodyHash: ctx.hashes.sha256(body), seq: proof.seq }),
      );
      if (!ctx.hashes.equal(expected, proof.mac)) {
        throw new ProblemError('unauthenticated', 'the request was not made with the key of its session');
      }
      const session = await table.advance(proof.session, proof.seq);
      if (session === null) throw noSession();
      if (!session.fresh) throw new ProblemError('replayed', `request ${proof.seq} of this session was made before`);
      if (session.expiresMs <= ctx.clock.now())
        throw new ProblemError('token_expired', 'the session is over: prove the node anew');
      return session;
    },
    end: (node) => table.end(node),
  };
}

export function noSession(): ProblemError {
  return new ProblemError('unauthenticated', 'there is no such session: prove the node anew');
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
    if ((payload.iat ?? 0) < Math.floor(notBeforeMs / 1000))
      throw new ProblemError('token_expired', "the proof is from before this Host's start");
    if (typeof payload.jti !== 'string') throw new ProblemError('unauthenticated', 'the proof has no jti');
    return { jti: payload.jti };
  } catch (error) {
    throw error instanceof ProblemError ? error : proofProblem(error);
  }
}

/** A proof of a clock that is ahead is as well to be made anew, by the time that this answer tells. */
function proofProblem(error: unknown): ProblemError {
  const ahead =
    error instanceof errors.JWTClaimValidationFailed && error.claim === 'iat' && error.reason === 'check_failed';
  return ahead
    ? new ProblemError('token_expired', 'the proof is from the future', { cause: error })
    : tokenProblem(error);
}
