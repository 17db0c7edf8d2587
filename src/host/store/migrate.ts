import type { Client } from '@libsql/client';

/** One file of `migrations/`, read at build time. */
export interface Migration {
  name: string;
  /** SHA-256 of the file, hexadecimal. */
  hash: string;
  statements: readonly string[];
}

const table = `create table if not exists _migrations
  (name text primary key not null, hash text not null, appliedAt integer not null) strict`;

/**
 * Brings the database to the last of `migrations` (in order), each atomic. Several Hosts may do it
 * at once. Throws when the database was made by a newer Weir, or by another history than this one.
 */
export async function migrate(
  client: Pick<Client, 'execute' | 'migrate'>,
  migrations: readonly Migration[],
  nowMs: number,
): Promise<void> {
  await client.execute(table);
  const applied = await readApplied(client);
  const known = new Map(migrations.map(({ name, hash }) => [name, hash]));
  for (const [name, hash] of applied) assertKnown(name, hash, known.get(name));
  for (const [index, { name, hash, statements }] of migrations.entries()) {
    if (applied.has(name)) continue;
    if (index < applied.size) throw new Error(`the database skipped migration ${name}: restore a backup`);
    const args = [name, hash, nowMs];
    const record = {
      sql: 'insert into _migrations (name, hash, appliedAt) values (?, ?, ?)',
      args,
    };
    try {
      // First, so that the loser of a race with another Host stops before it changes anything.
      await client.migrate([record, ...statements]);
    } catch (error) {
      if ((await readApplied(client)).get(name) !== hash) throw error;
    }
  }
}

async function readApplied(client: Pick<Client, 'execute'>): Promise<Map<string, string>> {
  const { rows } = await client.execute('select name, hash from _migrations order by name');
  const applied = rows as unknown as { name: string; hash: string }[];
  return new Map(applied.map(({ name, hash }) => [name, hash]));
}

function assertKnown(name: string, hash: string, expected: string | undefined): void {
  if (expected === undefined) {
    throw new Error(
      `the database has migration ${name}, which this Weir does not know: it was made by a newer one. Start that version, or restore a backup from before the upgrade`,
    );
  }
  if (expected !== hash) {
    throw new Error(
      `migration ${name} was applied with other contents (${hash.slice(0, 12)}, here ${expected.slice(0, 12)}): start the version that made this database, or restore a backup`,
    );
  }
}
