import type { WorkloadRef } from '../backend/backend.ts';
import type { Journal, JournalEntry } from './journal.ts';

/** A journal for the simulation: it outlives the Runner that is handed it, as a file does. */
export function createMemoryJournal(): Journal {
  const entries = new Map<string, string>();
  let heardAtMs: number | null = null;
  const key = (ref: WorkloadRef): string => `${ref.task} ${ref.attempt}`;
  return {
    all: () => [...entries.values()].map((text) => JSON.parse(text) as JournalEntry),
    put(entry) {
      entries.set(key(entry.ref), JSON.stringify(entry));
    },
    remove(ref) {
      entries.delete(key(ref));
    },
    heardAtMs: () => heardAtMs,
    setHeardAt(hostTimeMs) {
      heardAtMs = hostTimeMs;
    },
    [Symbol.dispose]() {
      // What a file would keep is kept.
    },
  };
}
