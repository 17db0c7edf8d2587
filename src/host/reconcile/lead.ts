import { isAbort } from '../../lib/abort.ts';
import type { HostContext } from '../context.ts';
import { fencedWrites, releaseLease, takeLease } from '../store/lease.ts';

const name = 'scheduler';
/** Of the lease's time, after which it is renewed; the rest is for tries that fail. */
const renewAfter = 1 / 3;
/** Of the lease's time, before whose end a holder that could not renew stops by itself. */
const margin = 1 / 10;

type Slice = Pick<HostContext, 'db' | 'clock' | 'log' | 'config' | 'random'>;

/**
 * Does `work` while this Host holds the scheduler lease, again and again until the signal aborts. What `work` writes
 * goes through its context, whose writes are refused once the lease is another's.
 */
export async function leadWhileHeld(
  ctx: HostContext,
  work: (ctx: HostContext, signal: AbortSignal) => Promise<void>,
  signal: AbortSignal,
): Promise<void> {
  const holder = [...ctx.random.bytes(8)].map((byte) => byte.toString(16).padStart(2, '0')).join('');
  while (!signal.aborted) {
    const held = await waitForLease(ctx, holder, signal);
    if (held === null) return;
    ctx.log.info({ fence: held.fence }, 'this Host holds the scheduler lease');
    const lost = new AbortController();
    const until = AbortSignal.any([signal, lost.signal]);
    const leading = work({ ...ctx, writes: fencedWrites(ctx.writes, { name, fence: held.fence }) }, until);
    await Promise.all([leading, renew(ctx, { holder, ...held }, until).finally(() => lost.abort())]);
    if (!signal.aborted) ctx.log.warn({ fence: held.fence }, 'this Host lost the scheduler lease: another one leads');
  }
  // Where the database is gone the lease runs out by itself.
  await releaseLease(ctx.db, { name, holder }).catch((error: unknown) =>
    ctx.log.warn({ err: error }, 'the lease was not given back'),
  );
}

interface Held {
  fence: number;
  /** Monotonic ms from before the request that took it: it is good for its duration from there. */
  sinceMs: number;
}

async function waitForLease(ctx: Slice, holder: string, signal: AbortSignal): Promise<Held | null> {
  const { leaseMs } = ctx.config;
  while (!signal.aborted) {
    const sinceMs = ctx.clock.monotonic();
    let againMs = leaseMs * renewAfter;
    try {
      const answer = await takeLease(ctx.db, { name, holder, durationMs: leaseMs });
      if ('fence' in answer) return { fence: answer.fence, sinceMs };
      againMs = Math.min(againMs, answer.heldForMs + 1);
    } catch (error) {
      ctx.log.error({ err: error }, 'the scheduler lease could not be asked for');
    }
    await rest(ctx, againMs, signal);
  }
  return null;
}

/** Returns when the lease is lost, or may be, or the signal aborts. */
async function renew(ctx: Slice, held: Held & { holder: string }, signal: AbortSignal): Promise<void> {
  const { leaseMs } = ctx.config;
  let { sinceMs } = held;
  while (!signal.aborted) {
    await rest(ctx, leaseMs * renewAfter, signal);
    if (signal.aborted) return;
    const askedMs = ctx.clock.monotonic();
    if (askedMs >= sinceMs + leaseMs * (1 - margin)) return;
    try {
      const answer = await takeLease(ctx.db, { name, holder: held.holder, durationMs: leaseMs });
      if (!('fence' in answer) || answer.fence !== held.fence) return;
      sinceMs = askedMs;
    } catch (error) {
      ctx.log.warn({ err: error }, 'the scheduler lease could not be renewed yet');
    }
  }
}

async function rest({ clock }: Slice, ms: number, signal: AbortSignal): Promise<void> {
  try {
    await clock.sleep(ms, signal);
  } catch (error) {
    if (!isAbort(error, signal)) throw error;
  }
}
