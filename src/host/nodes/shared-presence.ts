import { sql } from 'drizzle-orm';
import type { Clock } from '../../lib/clock.ts';
import { nodeId, type NodeId } from '../../protocol/ids.ts';
import type { Presence } from '../context.ts';
import type { Database } from '../store/database.ts';
import { databaseNowMs } from '../store/database-time.ts';
import { contacts } from '../store/schema.ts';
import { createPresence } from './presence.ts';

export interface SharedPresence extends Presence {
  /** Tells the other Hosts of contacts since the last exchange and learns of theirs. Answers whether a node is new here. */
  exchange(): Promise<boolean>;
}

interface Ports {
  db: Database;
  clock: Clock;
  knownMs: number;
}

/** Contacts with any of the Hosts that share a database. A contact older than `knownMs` makes no node known. */
export function createSharedPresence({ db, clock, knownMs }: Ports): SharedPresence {
  const own = createPresence(clock);
  const learned = new Map<NodeId, number>();
  const untold = new Set<NodeId>();
  const lastContactMs = (id: NodeId): number | null => {
    const times = [own.lastContactMs(id), learned.get(id) ?? null].filter((at) => at !== null);
    return times.length === 0 ? null : Math.max(...times);
  };
  return {
    contact(id) {
      own.contact(id);
      untold.add(id);
    },
    lastContactMs,
    setLoad: (id, load) => own.setLoad(id, load),
    load: (id) => own.load(id),
    forget(id) {
      own.forget(id);
      learned.delete(id);
      untold.delete(id);
    },
    async exchange() {
      await tellAll(db, own, untold);
      let news = false;
      for (const { node, ageMs, load } of await learn(db)) {
        const known = lastContactMs(node);
        if (known === null && ageMs > knownMs) continue;
        const atMs = clock.monotonic() - ageMs;
        news ||= known === null;
        learned.set(node, atMs);
        if (load !== null && atMs > (own.lastContactMs(node) ?? -Infinity)) own.setLoad(node, load);
      }
      return news;
    },
  };
}

/** What could not be told stays untold. */
async function tellAll(db: Database, own: Presence, untold: Set<NodeId>): Promise<void> {
  const telling = [...untold];
  untold.clear();
  try {
    await tell(
      db,
      telling.map((id) => [nodeId.toCounter(id), loadText(own, id)]),
    );
  } catch (error) {
    for (const id of telling) untold.add(id);
    throw error;
  }
}

function loadText(presence: Presence, id: NodeId): string | null {
  const load = presence.load(id);
  return load === null ? null : JSON.stringify(load);
}

async function tell(db: Database, told: readonly (readonly [number, string | null])[]): Promise<void> {
  if (told.length === 0) return;
  await db.run(sql`
    insert into contacts (node, at_ms, load)
    select value ->> 0, ${databaseNowMs}, value ->> 1 from json_each(${JSON.stringify(told)})
    where value ->> 0 in (select id from nodes)
    on conflict (node) do update set at_ms = excluded.at_ms, load = coalesce(excluded.load, load)`);
}

function learn(db: Database) {
  const ageMs = sql<number>`max(0, ${databaseNowMs} - ${contacts.atMs})`;
  return db.select({ node: contacts.node, ageMs, load: contacts.load }).from(contacts);
}
