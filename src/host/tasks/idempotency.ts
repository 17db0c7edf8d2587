import { and, eq, lt } from 'drizzle-orm';
import { ProblemError } from '../../protocol/problem.ts';
import type { Transaction } from '../store/database.ts';
import { idempotency } from '../store/schema.ts';

/** A request that may be sent again: who sent it where, under which key, and what it said. */
export interface Replayable {
  principal: string;
  route: string;
  key: string;
  bodyHash: string;
}

/**
 * Ids that the first request under this key made, or `null` when this is the first.
 * @throws ProblemError `idempotency_mismatch` when the first said something else
 */
export async function madeBefore(tx: Transaction, request: Replayable): Promise<readonly string[] | null> {
  const rows = await tx
    .select()
    .from(idempotency)
    .where(
      and(
        eq(idempotency.principal, request.principal),
        eq(idempotency.route, request.route),
        eq(idempotency.key, request.key),
      ),
    );
  const first = rows[0];
  if (!first) return null;
  if (first.bodyHash === request.bodyHash) return first.made;
  throw new ProblemError('idempotency_mismatch', `the Idempotency-Key "${request.key}" was used with another body`, {
    fix: 'use a new key for a new request',
  });
}

export async function rememberMade(
  tx: Transaction,
  request: Replayable,
  made: { ids: readonly string[]; nowMs: number },
): Promise<void> {
  await tx.insert(idempotency).values({ ...request, made: made.ids, createdMs: made.nowMs });
}

/** Forgets keys that are older than the promise. */
export async function forgetKeys(tx: Transaction, olderThanMs: number): Promise<void> {
  await tx.delete(idempotency).where(lt(idempotency.createdMs, olderThanMs));
}
