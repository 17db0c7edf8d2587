import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { bareEnd } from '../../src/protocol/task-end.ts';
import type { Journal, JournalEntry } from '../../src/runner/journal/journal.ts';
import { startOrder } from '../support/workload-orders.ts';

/** An entry with something in every field. */
export function journalEntry(counter: number, change: Partial<JournalEntry> = {}): JournalEntry {
  const { ref, spec } = startOrder(counter, {
    image: 'weir/demo:1',
    argv: ['sh', '-c', 'echo "✓"'],
  });
  return {
    ref,
    epoch: 3,
    assignment: { ...ref, generation: 9, spec, stop: null, seen: true },
    launched: true,
    startedAtMs: 1_700_000_000_123,
    stop: { cause: 'timeout', message: 'ran longer than its limit of 5s', kill: false },
    end: bareEnd('timeout', 'ran longer than its limit of 5s'),
    endedAtMs: 1_700_000_005_123,
    ...change,
  };
}

/** What every journal does. `open` is called again for each process that the same journal outlives. */
export function journalContract(name: string, makeOpener: () => { open: () => Journal; dispose: () => void }): void {
  describe(`${name} as a journal`, () => {
    let opener: ReturnType<typeof makeOpener>;
    let journal: Journal;
    beforeEach(() => {
      opener = makeOpener();
      journal = opener.open();
    });
    afterEach(() => {
      journal[Symbol.dispose]();
      opener.dispose();
    });
    const reopen = (): JournalEntry[] => {
      journal[Symbol.dispose]();
      journal = opener.open();
      return journal.all();
    };

    it('is empty at first', () => {
      expect(journal.all()).toEqual([]);
    });

    it('gives back what was put, whole, to the next process too', () => {
      const bare = journalEntry(2, {
        assignment: null,
        startedAtMs: null,
        stop: null,
        end: null,
        endedAtMs: null,
      });
      journal.put(journalEntry(1));
      journal.put(bare);
      expect(journal.all()).toEqual([journalEntry(1), bare]);
      expect(reopen()).toEqual([journalEntry(1), bare]);
    });

    it('keeps one entry of an attempt, the last', () => {
      journal.put(journalEntry(1, { end: null }));
      journal.put(journalEntry(1));
      expect(reopen()).toEqual([journalEntry(1)]);
    });

    it('tells attempts of one task apart', () => {
      const { ref } = journalEntry(1);
      journal.put(journalEntry(1));
      journal.put(journalEntry(1, { ref: { ...ref, attempt: 2 } }));
      journal.remove(ref);
      expect(reopen().map((entry) => entry.ref)).toEqual([{ ...ref, attempt: 2 }]);
    });

    it('does not mind the removal of what is not there', () => {
      journal.remove(journalEntry(1).ref);
      expect(journal.all()).toEqual([]);
    });

    it('knows when the Host was heard last, also in the next process', () => {
      expect(journal.heardAtMs()).toBeNull();
      journal.setHeardAt(1_700_000_000_000);
      journal.setHeardAt(1_700_000_030_000);
      expect(journal.heardAtMs()).toBe(1_700_000_030_000);
      reopen();
      expect(journal.heardAtMs()).toBe(1_700_000_030_000);
    });

    it('holds copies: what is changed later is not changed in it', () => {
      const entry = journalEntry(1);
      journal.put(entry);
      entry.launched = false;
      expect(journal.all()[0]?.launched).toBe(true);
    });
  });
}
