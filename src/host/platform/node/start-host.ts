import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { systemClock, type Clock } from '../../../lib/clock.ts';
import type { Logger } from '../../../lib/logger.ts';
import { makePrivateFolder, writeFileWhole } from '../../../lib/node/private-file.ts';
import { serve, type RunningServer } from '../../../lib/node/server.ts';
import type { TlsFiles } from '../../../lib/node/tls-files.ts';
import type { TlsIdentity } from '../../../lib/node/tls-identity.ts';
import { createWake, type Wake } from '../../../lib/wake.ts';
import type { JoinTokenAnswer } from '../../../protocol/enrol.ts';
import { createApp } from '../../app.ts';
import { hasApiCredential, issueAdminToken } from '../../auth/credentials.ts';
import type { HostConfig } from '../../config.ts';
import type { HostContext } from '../../context.ts';
import { createJoinToken } from '../../nodes/enrol.ts';
import { buildContext } from './build-context.ts';
import { localUrl, writeEndpoint } from './endpoint.ts';
import { followCertificate, hostTls } from './host-tls.ts';
import { openDatabase } from './open-database.ts';
import { runLoops } from './loops.ts';
import { createRunnerFetch } from './runner-fetch.ts';

export interface HostOptions {
  dataDir: string;
  listen: { address: string; port: number };
  /** Allows plain HTTP on an address beyond loopback. */
  insecureHttp: boolean;
  /** Names by which clients reach the Host, besides those of this machine. */
  hostNames: readonly string[];
  /** Certificate and key of the operator's, in use on loopback too; else the Host makes its own beyond it. */
  tlsFiles?: TlsFiles | null;
  /** Raised when the operator asks for files to be read anew. */
  reload?: Wake;
  /** `libsql:`, `http:` or `https:` URL of a libSQL server that several Hosts may share; else a file in the data folder. */
  databaseUrl?: string;
  /** File with the server's token. */
  databaseTokenFile?: string;
  version: string;
  log: Logger;
  config?: Partial<HostConfig>;
  clock?: Clock;
}

export interface RunningHost {
  /** As reached from this machine. */
  url: string;
  tlsPin: string | null;
  adminTokenFile: string;
  /** For a Runner in the same process. */
  createJoinToken(): Promise<JoinTokenAnswer>;
  /** Ends held calls and streams, then the loops, then the store. Workloads go on. */
  stop(): Promise<void>;
}

const stopGraceMs = 5000;

/** Starts the Host: folders, keys, database, loops, server; resolves when it answers. */
export async function startHost(options: HostOptions): Promise<RunningHost> {
  const folder = join(options.dataDir, 'host');
  await makePrivateFolder(join(folder, 'keys'));
  const tls = await hostTls(options, join(folder, 'keys'));
  const database = await openDatabase(await databaseOf(options, folder));
  const stopping = new AbortController();
  const runners = createRunnerFetch();
  try {
    const keysFolder = join(folder, 'keys');
    const built = await buildContext(options, {
      database,
      keysFolder,
      tls,
      stopping: stopping.signal,
      runnerFetch: runners.fetch,
    });
    const { ctx } = built;
    await firstSecret(ctx, options.dataDir);
    const server = await serveApp(ctx, options, tls);
    const loops = runLoops(built, stopping.signal);
    const certificate = keepCertificate(options, { server, tls }, stopping.signal);
    const url = localUrl({ address: server.address, port: server.port, tls: tls !== null });
    await writeEndpoint(options.dataDir, { url, pid: process.pid, ...(tls ? { tlsPin: tls.pin } : {}) });
    return {
      url,
      tlsPin: ctx.tlsPin,
      adminTokenFile: join(options.dataDir, 'admin.token'),
      createJoinToken: () => createJoinToken(ctx, { expiresMs: 60_000, name: undefined, by: 'weir up' }),
      async stop() {
        stopping.abort();
        await server.close(stopGraceMs);
        await loops;
        await certificate;
        runners.close();
        await ctx.writes.close();
        await database.close();
      },
    };
  } catch (error) {
    stopping.abort();
    runners.close();
    await database.close();
    throw error;
  }
}

async function databaseOf(
  { databaseUrl, databaseTokenFile }: HostOptions,
  folder: string,
): Promise<{ url: string; authToken?: string }> {
  const url = databaseUrl ?? join(folder, 'weir.db');
  if (databaseTokenFile === undefined) return { url };
  return { url, authToken: (await readFile(databaseTokenFile, 'utf8')).trim() };
}

/** At the very first start an API token is made and kept in `DIR/admin.token`, written before its row is durable. */
async function firstSecret(ctx: HostContext, dataDir: string): Promise<void> {
  const path = join(dataDir, 'admin.token');
  const made = await ctx.writes.run(async (tx) => {
    if (await hasApiCredential(tx)) return false;
    await writeFileWhole(path, `${await issueAdminToken(tx, ctx, ctx.clock.now())}\n`);
    return true;
  });
  if (made) ctx.log.info({ file: path }, 'made the first token');
}

async function serveApp(ctx: HostContext, { listen }: HostOptions, tls: TlsIdentity | null): Promise<RunningServer> {
  const app = createApp(ctx);
  return serve({ fetch: (request, env) => app.fetch(request, env), listen, tls });
}

async function keepCertificate(
  options: HostOptions,
  { server, tls }: { server: RunningServer; tls: TlsIdentity | null },
  signal: AbortSignal,
): Promise<void> {
  const { tlsFiles = null, clock = systemClock, log, reload = createWake() } = options;
  if (tlsFiles === null || tls === null) return;
  await followCertificate({ files: tlsFiles, identity: tls, server, clock, log, wake: reload }, signal);
}
