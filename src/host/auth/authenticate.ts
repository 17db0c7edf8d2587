import { eq, sql } from 'drizzle-orm';
import type { Clock } from '../../lib/clock.ts';
import type { Hashes } from '../../lib/crypto.ts';
import { scopes, tokenTypes, type Scope } from '../../protocol/credential.ts';
import { credentialId } from '../../protocol/ids.ts';
import { ProblemError } from '../../protocol/problem.ts';
import type { Database } from '../store/database.ts';
import { credentials } from '../store/schema.ts';
import type { HostKeys } from './keys.ts';
import type { Principal } from './principal.ts';

export interface Authenticator {
  /**
   * Who holds this API token, with the row read anew, so that a revocation is felt at once.
   * @throws ProblemError `unauthenticated`, `token_expired`, `token_revoked`
   */
  principalOf(token: string): Promise<Principal>;
}

interface Ports {
  db: Database;
  keys: HostKeys;
  hashes: Hashes;
  clock: Clock;
}

/** Verified signatures are remembered; what a token may do is read from its row each time. */
const rememberedTokens = 10_000;

export function createAuthenticator({ db, keys, hashes, clock }: Ports): Authenticator {
  const verified = new Map<string, { jtiHash: string; expiresMs: number }>();
  const readRow = db
    .select()
    .from(credentials)
    .where(eq(credentials.jtiHash, sql.placeholder('jtiHash')))
    .prepare();

  const verify = async (token: string): Promise<string> => {
    const known = verified.get(token);
    if (known && known.expiresMs > clock.now()) return known.jtiHash;
    const claims = await keys.verify(token, { typ: tokenTypes.api, audience: 'host', nowMs: clock.now() });
    const jtiHash = hashes.sha256(String(claims.jti));
    if (verified.size >= rememberedTokens) verified.clear();
    verified.set(token, { jtiHash, expiresMs: claims.exp === undefined ? Infinity : claims.exp * 1000 });
    return jtiHash;
  };

  return {
    async principalOf(token) {
      const jtiHash = await verify(token);
      const row = (await readRow.execute({ jtiHash }))[0];
      if (row?.kind !== 'api') throw new ProblemError('token_revoked', 'the token is no longer in use');
      if (row.revokedMs !== null) throw new ProblemError('token_revoked', 'the token was revoked');
      return { subject: row.subject, credential: credentialId.fromCounter(row.id), scopes: row.scopes.filter(isScope) };
    },
  };
}

function isScope(text: string): text is Scope {
  return (scopes as readonly string[]).includes(text);
}
