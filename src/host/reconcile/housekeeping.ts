import { desc, lt, lte } from 'drizzle-orm';
import type { HostContext } from '../context.ts';
import { events } from '../store/schema.ts';
import { forgetKeys } from '../tasks/idempotency.ts';

/** Rows removed in one write, so that nobody waits long behind it. */
const rowsAtOnce = 5000;

/** Forgets what is past its promise: events and idempotency keys. */
export async function housekeeping(ctx: Pick<HostContext, 'db' | 'writes' | 'clock' | 'config'>): Promise<void> {
  const { config } = ctx;
  const nowMs = ctx.clock.now();
  await ctx.writes.run((tx) => forgetKeys(tx, nowMs - config.idempotencyMs));
  const newest = await ctx.db.select({ seq: events.seq }).from(events).orderBy(desc(events.seq)).limit(1);
  const tooOld = await ctx.db
    .select({ seq: events.seq })
    .from(events)
    .where(lt(events.atMs, nowMs - config.eventRetentionMs))
    .orderBy(desc(events.seq))
    .limit(1);
  const last = newest[0]?.seq ?? 0;
  const upTo = Math.max(tooOld[0]?.seq ?? 0, last - config.eventRetentionRows);
  // The newest stays, so that the number of the last event is never forgotten.
  await removeEvents(ctx, Math.min(upTo, last - 1));
}

async function removeEvents(ctx: Pick<HostContext, 'db' | 'writes'>, upTo: number): Promise<void> {
  for (;;) {
    const oldest = await ctx.db
      .select({ seq: events.seq })
      .from(events)
      .where(lte(events.seq, upTo))
      .orderBy(events.seq)
      .limit(1);
    const from = oldest[0]?.seq;
    if (from === undefined) return;
    const to = Math.min(upTo, from + rowsAtOnce - 1);
    await ctx.writes.run((tx) => tx.delete(events).where(lte(events.seq, to)));
  }
}
