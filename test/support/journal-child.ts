import { writeSync } from 'node:fs';
import { openJournal } from '../../src/runner/journal/file-journal.ts';
import { journalEntry } from '../contract/journal.ts';

/** A process to be killed: puts entries into the journal named by its argument and prints each that was put. */
const [, , path = ''] = process.argv;
const journal = openJournal(path);
for (let counter = 1; ; counter += 1) {
  journal.put(journalEntry(counter));
  if (counter % 3 === 0) journal.remove(journalEntry(counter - 1).ref);
  writeSync(1, `${counter}\n`);
}
