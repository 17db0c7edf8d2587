import { and, asc, desc, eq, gt, type SQL } from 'drizzle-orm';
import type { WeirEvent } from '../../protocol/event.ts';
import type { Queryable } from '../store/database.ts';
import { events } from '../store/schema.ts';

export interface EventFilter {
  type?: string | undefined;
  subject?: string | undefined;
}

/** Number of the last event; 0 before the first. */
export async function lastEventSeq(db: Queryable): Promise<number> {
  const rows = await db.select({ seq: events.seq }).from(events).orderBy(desc(events.seq)).limit(1);
  return rows[0]?.seq ?? 0;
}

/** Number of the oldest event kept; 0 when there is none. */
export async function firstEventSeq(db: Queryable): Promise<number> {
  const rows = await db.select({ seq: events.seq }).from(events).orderBy(asc(events.seq)).limit(1);
  return rows[0]?.seq ?? 0;
}

/** Events behind `since`, in order, at most `limit`. */
export async function readEvents(
  db: Queryable,
  { since, limit, filter = {} }: { since: number; limit: number; filter?: EventFilter },
): Promise<WeirEvent[]> {
  const where: SQL[] = [gt(events.seq, since)];
  if (filter.subject !== undefined) where.push(eq(events.subject, filter.subject));
  if (filter.type !== undefined) where.push(typeMatches(filter.type));
  const rows = await db
    .select()
    .from(events)
    .where(and(...where))
    .orderBy(asc(events.seq))
    .limit(limit);
  return rows.map(toEvent);
}

/** `task.running` exactly, or all of a kind by `task.*`. */
function typeMatches(type: string): SQL {
  return type.endsWith('.*')
    ? eq(events.kind, type.slice(0, -2) as 'task')
    : eq(events.type, type as WeirEvent['type']);
}

function toEvent(row: typeof events.$inferSelect): WeirEvent {
  return {
    seq: row.seq,
    at: new Date(row.atMs).toISOString(),
    type: row.type,
    subject: { kind: row.kind, id: row.subject },
    rev: row.rev,
    ...(row.attempt === null ? {} : { attempt: row.attempt }),
    ...(row.actor === null ? {} : { actor: row.actor }),
    data: row.data,
  };
}
