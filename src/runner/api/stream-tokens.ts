import { createLocalJWKSet, errors, jwtVerify, type JWK, type JWTVerifyOptions } from 'jose';
import * as v from 'valibot';
import { streamAudience, type StreamClaims, streamClaimsSchema, tokenTypes } from '../../protocol/credential.ts';
import { ProblemError } from '../../protocol/problem.ts';

export interface StreamTokenOptions {
  /** This node and this start of its Runner. */
  node: string;
  boot: string;
  /** The Host's public keys, as they are now. */
  hostKeys: () => readonly JWK[];
  /** Milliseconds since 1970 by the Host's clock. */
  hostNow: () => number;
}

/** What a request wants to do; the token must have been made for that. */
export type StreamAim = Pick<StreamClaims, 'purpose' | 'task' | 'attempt'>;

/** Tokens live for 60 s; one that claims much more was not made by our Host's code. */
const longestLifeMs = 300_000;

/**
 * Takes the Host's stream tokens, each one once.
 * @returns a function that throws ProblemError `unauthenticated`, `token_expired`, `forbidden`, `replayed`
 */
export function createStreamTokens(
  options: StreamTokenOptions,
): (authorization: string | undefined, aim: StreamAim) => Promise<StreamClaims> {
  const opened = new Map<string, number>();

  const openOnce = ({ jti, exp }: StreamClaims): void => {
    const nowMs = options.hostNow();
    for (const [known, expMs] of opened) if (expMs <= nowMs) opened.delete(known);
    if (opened.has(jti)) throw new ProblemError('replayed', 'This stream token has opened its session already.');
    opened.set(jti, exp * 1000);
  };
  return async (authorization, aim) => {
    const claims = await verify(bearerOf(authorization), options);
    for (const key of ['purpose', 'task', 'attempt'] as const) {
      if (claims[key] !== aim[key]) {
        throw new ProblemError('forbidden', `The stream token is for ${key} "${claims[key]}", not "${aim[key]}".`);
      }
    }
    openOnce(claims);
    return claims;
  };
}

function bearerOf(authorization: string | undefined): string {
  const token = /^Bearer ([\w.-]+)$/i.exec(authorization ?? '')?.[1];
  if (token === undefined) {
    throw new ProblemError('unauthenticated', 'This needs a stream token of the Host as a Bearer credential.');
  }
  return token;
}

async function verify(token: string, options: StreamTokenOptions): Promise<StreamClaims> {
  const nowMs = options.hostNow();
  const rules: JWTVerifyOptions = {
    algorithms: ['EdDSA'],
    typ: tokenTypes.stream,
    audience: streamAudience(options.node, options.boot),
    requiredClaims: ['exp', 'jti', 'sub'],
    currentDate: new Date(nowMs),
  };
  try {
    const { payload } = await jwtVerify(token, createLocalJWKSet({ keys: [...options.hostKeys()] }), rules);
    const claims = v.parse(streamClaimsSchema, payload);
    if (claims.exp * 1000 - nowMs <= longestLifeMs) return claims;
  } catch (cause) {
    throw refusal(cause);
  }
  throw new ProblemError('unauthenticated', 'The stream token would live longer than one may.');
}

/** What is wrong with a token is for our own log; its bearer hears that it will not do. */
function refusal(cause: unknown): ProblemError {
  if (cause instanceof errors.JWTExpired) {
    return new ProblemError('token_expired', "The stream token has expired by the Host's clock.", { cause });
  }
  return new ProblemError('unauthenticated', 'The stream token is not valid here.', { cause });
}
