import { and, eq, gt, isNull, or } from 'drizzle-orm';
import { toBase64Url, type Hashes, type Random } from '../../lib/crypto.ts';
import { scopes, tokenTypes, type Scope } from '../../protocol/credential.ts';
import { credentialId, type CredentialId } from '../../protocol/ids.ts';
import { takeNumbers } from '../store/counters.ts';
import type { Transaction } from '../store/database.ts';
import { credentials } from '../store/schema.ts';
import type { HostKeys } from './keys.ts';

export interface CredentialPorts {
  keys: HostKeys;
  hashes: Hashes;
  random: Random;
}

interface NewCredential {
  kind: 'api' | 'join';
  subject: string;
  scopes: readonly string[];
  nowMs: number;
  expiresMs: number | null;
  /** More claims, such as the pin in a join token. */
  claims?: Readonly<Record<string, unknown>>;
}

/** Makes a credential. The token is answered once and is not stored; the row holds a hash of its `jti`. */
export async function issueCredential(
  tx: Transaction,
  ports: CredentialPorts,
  wanted: NewCredential,
): Promise<{ id: CredentialId; token: string }> {
  const jti = toBase64Url(ports.random.bytes(32));
  const number = await takeNumbers(tx, 'credential', 1);
  await tx.insert(credentials).values({
    id: number,
    jtiHash: ports.hashes.sha256(jti),
    kind: wanted.kind,
    subject: wanted.subject,
    scopes: wanted.scopes,
    createdMs: wanted.nowMs,
    expiresMs: wanted.expiresMs,
  });
  const claims = { sub: wanted.subject, aud: 'host', jti, scope: wanted.scopes.join(' '), ...wanted.claims };
  const token = await ports.keys.sign(tokenTypes[wanted.kind], claims, wanted.expiresMs);
  return { id: credentialId.fromCounter(number), token };
}

/** The first API token of a cluster: may do everything. */
export async function issueAdminToken(tx: Transaction, ports: CredentialPorts, nowMs: number): Promise<string> {
  const wanted = { kind: 'api', subject: 'admin', scopes: scopes as readonly Scope[], nowMs, expiresMs: null } as const;
  return (await issueCredential(tx, ports, wanted)).token;
}

/** Whether any API token was ever made: false only before the first start has ended. */
export async function hasApiCredential(tx: Transaction): Promise<boolean> {
  const rows = await tx.select({ id: credentials.id }).from(credentials).where(eq(credentials.kind, 'api')).limit(1);
  return rows.length > 0;
}

/** Marks a join token as used; false when it was used, revoked or has expired. */
export async function consumeJoinToken(tx: Transaction, jtiHash: string, nowMs: number): Promise<boolean> {
  const rows = await tx
    .update(credentials)
    .set({ usedMs: nowMs })
    .where(
      and(
        eq(credentials.jtiHash, jtiHash),
        eq(credentials.kind, 'join'),
        isNull(credentials.usedMs),
        isNull(credentials.revokedMs),
        or(isNull(credentials.expiresMs), gt(credentials.expiresMs, nowMs)),
      ),
    )
    .returning({ id: credentials.id });
  return rows.length === 1;
}
