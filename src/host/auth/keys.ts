import {
  createLocalJWKSet,
  errors,
  jwtVerify,
  SignJWT,
  type CryptoKey,
  type JWK,
  type JWTPayload,
  type KeyObject,
} from 'jose';
import { ProblemError } from '../../protocol/problem.ts';

export interface SigningKey {
  privateKey: CryptoKey | KeyObject;
  publicJwk: JWK & { kid: string };
}

/** The Host's keyring: signs with the newest key, verifies with all. */
export interface HostKeys {
  /** Public keys, for Runners and `/jwks`. */
  publicKeys(): JWK[];
  /** Signs claims into a JWT of this `typ` that expires at `expiresMs` (Host time). */
  sign(typ: string, claims: JWTPayload, expiresMs: number | null): Promise<string>;
  /**
   * The claims of a token of ours.
   * @throws ProblemError `unauthenticated`, `token_expired`
   */
  verify(token: string, expected: { typ: string; audience: string; nowMs: number }): Promise<JWTPayload>;
}

const issuer = 'weir';

/** `keys`: newest first. */
export function createHostKeys(keys: readonly [SigningKey, ...SigningKey[]]): HostKeys {
  const [newest] = keys;
  const publicKeys = keys.map((key) => key.publicJwk);
  const find = createLocalJWKSet({ keys: publicKeys });
  return {
    publicKeys: () => publicKeys,
    sign(typ, claims, expiresMs) {
      const jwt = new SignJWT(claims)
        .setProtectedHeader({ alg: 'EdDSA', typ, kid: newest.publicJwk.kid })
        .setIssuer(issuer);
      if (expiresMs !== null) jwt.setExpirationTime(Math.floor(expiresMs / 1000));
      return jwt.sign(newest.privateKey);
    },
    async verify(token, { typ, audience, nowMs }) {
      try {
        const options = { algorithms: ['EdDSA'], issuer, audience, typ, currentDate: new Date(nowMs) };
        return (await jwtVerify(token, find, options)).payload;
      } catch (error) {
        throw tokenProblem(error);
      }
    },
  };
}

/** What `jose` found wrong, in our words; never the token. */
export function tokenProblem(error: unknown): ProblemError {
  if (error instanceof errors.JWTExpired) {
    return new ProblemError('token_expired', 'the token has expired', { fix: 'get a new one', cause: error });
  }
  return new ProblemError('unauthenticated', 'the token is not one that this Host accepts', { cause: error });
}
