import Libsql from 'libsql';
import { taskId } from '../../protocol/ids.ts';
import type { Journal, JournalEntry } from './journal.ts';

/**
 * The journal in a libSQL file. `synchronous=NORMAL`: nothing is lost by a crash of the process; a crash of the machine
 * takes the containers along, whose ends are then read from the engine.
 * @throws the driver's error when the file cannot be opened
 */
export function openJournal(path: string): Journal {
  const db = new Libsql(path);
  db.exec('pragma journal_mode=wal; pragma synchronous=normal; pragma busy_timeout=2000');
  db.exec(
    'create table if not exists entries (task integer, attempt integer, entry text not null, primary key (task, attempt)) strict',
  );
  db.exec('create table if not exists heard (one integer primary key check (one = 1), at_ms integer not null) strict');
  const noteHeard = db.prepare('insert into heard values (1, ?) on conflict do update set at_ms = excluded.at_ms');
  let heardAtMs = readHeard(db);
  const select = db.prepare('select entry from entries order by task, attempt');
  const upsert = db.prepare('insert into entries values (?, ?, ?) on conflict do update set entry = excluded.entry');
  const remove = db.prepare('delete from entries where task = ? and attempt = ?');
  return {
    all: () => select.all().map((row) => parseEntry(row)),
    put(entry) {
      upsert.run(BigInt(taskId.toStored(entry.ref.task)), BigInt(entry.ref.attempt), JSON.stringify(entry));
    },
    remove(ref) {
      remove.run(BigInt(taskId.toStored(ref.task)), BigInt(ref.attempt));
    },
    heardAtMs: () => heardAtMs,
    setHeardAt(hostTimeMs) {
      noteHeard.run(BigInt(hostTimeMs));
      heardAtMs = hostTimeMs;
    },
    [Symbol.dispose]() {
      db.close();
    },
  };
}

/** What this process's forerunner wrote with `put`. */
function parseEntry(row: unknown): JournalEntry {
  const { entry } = row as { entry: string };
  return JSON.parse(entry) as JournalEntry;
}

function readHeard(db: Libsql.Database): number | null {
  const row = db.prepare('select at_ms from heard').get() as { at_ms: number } | undefined;
  return row?.at_ms ?? null;
}
