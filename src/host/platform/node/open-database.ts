import { closeSync, existsSync, openSync, realpathSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Client } from '@libsql/client';
import { createDatabase, type Database } from '../../store/database.ts';
import { StoreError } from '../../store/store-error.ts';
import { lockDatabase } from './database-lock.ts';
import { createFileClient } from './libsql-client.ts';
import { createServerClient } from '../shared/server-client.ts';
import { createTransactionScope } from './transaction-scope.ts';

export interface OpenDatabase {
  client: Client;
  db: Database;
  /** Whether other Hosts may use it at the same time. */
  shared: boolean;
  /** For a quiet moment: empties the WAL of a file. False when a reader was in the way. */
  checkpoint(): Promise<boolean>;
  /** Ends the connections, and for a file empties the WAL and gives the file free. */
  close(): Promise<void>;
}

/**
 * Opens a database by URL. `file:` and plain paths are embedded and belong to this process until
 * closed (StoreError `DATABASE_LOCKED`); `libsql:`, `http:` and `https:` are servers.
 */
export async function openDatabase(at: { url: string; authToken?: string }): Promise<OpenDatabase> {
  if (/^(?:libsql|https?):/i.test(at.url)) return openServer(at);
  return openFile(filePath(at.url));
}

async function openServer(at: { url: string; authToken?: string }): Promise<OpenDatabase> {
  const { createClient } = await import('@libsql/client');
  const client = createServerClient(createClient(at));
  const db = createDatabase(client, createTransactionScope());
  return { client, db, shared: true, checkpoint: async () => true, close: async () => client.close() };
}

function openFile(given: string): OpenDatabase {
  if (!existsSync(dirname(given))) {
    throw new StoreError('SQLITE_CANTOPEN', `cannot open ${given}: there is no folder ${dirname(given)}`);
  }
  createPrivate(given);
  const path = realpathSync(given);
  createPrivate(`${path}.lock`);
  const lock = lockDatabase(path);
  try {
    const scope = createTransactionScope();
    const client = createFileClient(path, scope);
    const close = async (): Promise<void> => {
      if (!client.closed) await client.checkpoint();
      client.close();
      lock[Symbol.dispose]();
    };
    const { checkpoint } = client;
    return { client, db: createDatabase(client, scope), shared: false, checkpoint, close };
  } catch (error) {
    lock[Symbol.dispose]();
    throw error;
  }
}

/** SQLite gives `-wal` and `-shm` the mode of the database. */
function createPrivate(path: string): void {
  if (!existsSync(path)) closeSync(openSync(path, 'a', 0o600));
}

function filePath(url: string): string {
  if (/^file:\/\//i.test(url)) return fileURLToPath(url);
  if (/^file:/i.test(url)) return url.slice('file:'.length);
  if (!/^[a-z][a-z0-9+.-]+:/i.test(url)) return url;
  throw new StoreError(
    'URL_SCHEME_NOT_SUPPORTED',
    `cannot open the database ${new URL(url).protocol}…: use a path, file:, libsql:, http: or https:`,
  );
}
