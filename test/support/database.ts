import { accessSync, constants, copyFileSync, existsSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { createHash } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Client } from '@libsql/client';
import { openDatabase } from '../../src/host/platform/node/open-database.ts';
import type { Database } from '../../src/host/store/database.ts';
import { migrate } from '../../src/host/store/migrate.ts';
import { migrations } from '../../src/host/store/migrations.generated.ts';
import { createWrites, type Writes } from '../../src/host/store/writes.ts';
import { systemClock } from '../../src/lib/clock.ts';

export interface TestDatabase extends AsyncDisposable {
  /** The database file, in a folder of its own that goes with it. */
  path: string;
  db: Database;
  client: Client;
  writes: Writes;
}

/** A migrated database in a file of its own, in memory where the machine has /dev/shm. */
export async function openTestDatabase(): Promise<TestDatabase> {
  const folder = testFolder();
  const path = join(folder, 'weir.db');
  copyFileSync(await template(), path);
  const { client, db, close } = await openDatabase({ url: path });
  const writes = createWrites({ db, defer: systemClock.defer, now: systemClock.monotonic });
  const dispose = async (): Promise<void> => {
    await writes.close();
    await close();
    rmSync(folder, { recursive: true });
  };
  return { path, db, client, writes, [Symbol.asyncDispose]: dispose };
}

/** An empty folder on the fastest disk there is. */
export function testFolder(): string {
  return mkdtempSync(join(fastFolder(), 'weir-test-'));
}

/** Shared by all test processes; made under another name and renamed, so that none sees half of it. */
async function template(): Promise<string> {
  const hash = createHash('sha256').update(JSON.stringify(migrations)).digest('hex');
  const path = join(fastFolder(), `weir-template-${process.getuid?.() ?? 0}-${hash.slice(0, 16)}.db`);
  if (existsSync(path)) return path;
  const folder = testFolder();
  const draft = join(folder, 'weir.db');
  const { client, close } = await openDatabase({ url: draft });
  await migrate(client, migrations, 0);
  await close();
  renameSync(draft, path);
  rmSync(folder, { recursive: true });
  return path;
}

function fastFolder(): string {
  try {
    accessSync('/dev/shm', constants.W_OK);
    return '/dev/shm';
  } catch {
    return tmpdir();
  }
}
