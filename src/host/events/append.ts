import type { EventType, WeirEvent } from '../../protocol/event.ts';
import type { Transaction } from '../store/database.ts';
import { events } from '../store/schema.ts';

export interface NewEvent {
  atMs: number;
  type: EventType;
  subject: WeirEvent['subject'];
  rev: number;
  attempt?: number;
  actor?: string;
  data: Record<string, unknown> | null;
}

/** Rows in one statement, bounded by SQLite's 32,766 bound values. */
const rowsAtOnce = 1000;

/** Adds events in the transaction of the change that they tell of. */
export async function appendEvents(tx: Transaction, all: readonly NewEvent[]): Promise<void> {
  for (let from = 0; from < all.length; from += rowsAtOnce) {
    const rows = all.slice(from, from + rowsAtOnce).map((event) => ({
      atMs: event.atMs,
      type: event.type,
      kind: event.subject.kind,
      subject: event.subject.id,
      rev: event.rev,
      attempt: event.attempt ?? null,
      actor: event.actor ?? null,
      data: event.data,
    }));
    await tx.insert(events).values(rows);
  }
}
