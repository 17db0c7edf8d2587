import { and, eq, isNull } from 'drizzle-orm';
import { consumeJoinToken, issueCredential } from '../auth/credentials.ts';
import type { EnrolAnswer, EnrolRequest, JoinTokenAnswer } from '../../protocol/enrol.ts';
import { nodeId } from '../../protocol/ids.ts';
import { ProblemError } from '../../protocol/problem.ts';
import { tokenTypes } from '../../protocol/credential.ts';
import { protocolVersion } from '../../protocol/version.ts';
import type { HostContext } from '../context.ts';
import { appendEvents } from '../events/append.ts';
import { takeNumbers } from '../store/counters.ts';
import type { Transaction } from '../store/database.ts';
import { nodes } from '../store/schema.ts';
import { iso } from '../tasks/view.ts';
import { nodeEventData } from './view.ts';

/** Makes a join token: one node, once, until it expires. It carries the pin of the Host's TLS key. */
export async function createJoinToken(
  ctx: Pick<HostContext, 'writes' | 'clock' | 'keys' | 'hashes' | 'random' | 'tlsPin'>,
  wanted: { expiresMs: number; name: string | undefined; by: string },
): Promise<JoinTokenAnswer> {
  const nowMs = ctx.clock.now();
  const expiresMs = nowMs + wanted.expiresMs;
  const claims = { pin: ctx.tlsPin, ...(wanted.name === undefined ? {} : { name: wanted.name }) };
  const issued = await ctx.writes.run((tx) =>
    issueCredential(tx, ctx, { kind: 'join', subject: wanted.by, scopes: [], nowMs, expiresMs, claims }),
  );
  return { ...issued, expiresAt: iso(expiresMs) };
}

/**
 * Makes a node of whoever holds an unused join token. A name in use gets a number behind it: a join never takes
 * another node over.
 * @throws ProblemError `join_token_invalid`, `protocol_unsupported`
 */
export async function enrolNode(ctx: HostContext, token: string, request: EnrolRequest): Promise<EnrolAnswer> {
  checkProtocol(request.protocol);
  const claims = await joinClaims(ctx, token);
  const nowMs = ctx.clock.now();
  const row = await ctx.writes.run(async (tx) => {
    if (!(await consumeJoinToken(tx, ctx.hashes.sha256(claims.jti), nowMs))) throw unusable();
    return insertNode(tx, { ...request, name: claims.name ?? request.name }, nowMs);
  });
  ctx.log.info({ node: row.id, name: row.name }, 'a node joined');
  return {
    node: row.id,
    name: row.name,
    cluster: ctx.cluster.id,
    epoch: ctx.cluster.epoch,
    hostTime: nowMs,
    hostKeys: ctx.keys.publicKeys().map((key) => ({ ...key })),
  };
}

/** @throws ProblemError `protocol_unsupported` when the majors differ */
export function checkProtocol(spoken: { major: number; minor: number }): void {
  if (spoken.major === protocolVersion.major) return;
  throw new ProblemError(
    'protocol_unsupported',
    `this Host speaks protocol ${protocolVersion.major}, the Runner ${spoken.major}`,
    { fix: 'upgrade the older of the two' },
  );
}

async function joinClaims(ctx: HostContext, token: string): Promise<{ jti: string; name: string | undefined }> {
  const expected = { typ: tokenTypes.join, audience: 'host', nowMs: ctx.clock.now() };
  const claims = await ctx.keys.verify(token, expected).catch((error: unknown) => {
    throw error instanceof ProblemError && error.code === 'token_expired' ? expired(error) : unusable(error);
  });
  if (typeof claims.jti !== 'string') throw unusable();
  return { jti: claims.jti, name: typeof claims['name'] === 'string' ? claims['name'] : undefined };
}

function unusable(cause?: unknown): ProblemError {
  return new ProblemError('join_token_invalid', 'the join token was used, revoked, or is not of this Host', {
    fix: 'make a new one: `weir node join-token`',
    cause,
  });
}

function expired(cause: unknown): ProblemError {
  return new ProblemError('join_token_invalid', 'the join token has expired', {
    fix: 'make a new one: `weir node join-token`',
    cause,
  });
}

async function insertNode(tx: Transaction, request: EnrolRequest, nowMs: number) {
  const id = nodeId.fromCounter(await takeNumbers(tx, 'node', 1));
  const rows = await tx
    .insert(nodes)
    .values({
      id,
      name: await freeName(tx, request.name),
      publicKey: request.publicKey,
      machineId: request.machineId,
      tlsPin: request.tlsPin,
      labels: request.labels,
      state: 'ready',
      rev: 1,
      generation: 1,
      joinedMs: nowMs,
    })
    .returning();
  const [row] = rows;
  if (!row) throw new Error('the insert of a node gave no row');
  await appendEvents(tx, [
    { atMs: nowMs, type: 'node.joined', subject: { kind: 'node', id }, rev: row.rev, data: nodeEventData(row) },
  ]);
  return row;
}

async function freeName(tx: Transaction, wanted: string): Promise<string> {
  for (let number = 1; ; number += 1) {
    const name = number === 1 ? wanted : `${wanted.slice(0, 58)}-${number}`;
    const taken = await tx
      .select({ id: nodes.id })
      .from(nodes)
      .where(and(eq(nodes.name, name), isNull(nodes.removedMs)));
    if (taken.length === 0) return name;
  }
}
