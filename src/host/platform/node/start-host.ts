import { join } from 'node:path';
import { systemClock, type Clock } from '../../../lib/clock.ts';
import type { Logger } from '../../../lib/logger.ts';
import { createMetrics } from '../../../lib/metrics.ts';
import { loadSigningKey } from '../../../lib/node/ed25519.ts';
import { nodeHashes, nodeRandom } from '../../../lib/node/hashes.ts';
import { makePrivateFolder, writeFileWhole } from '../../../lib/node/private-file.ts';
import { serve, type RunningServer } from '../../../lib/node/server.ts';
import { loadTlsIdentity, type TlsIdentity } from '../../../lib/node/tls-identity.ts';
import { toBase64Url } from '../../../lib/crypto.ts';
import type { JoinTokenAnswer } from '../../../protocol/enrol.ts';
import { createApp } from '../../app.ts';
import { createAuthenticator } from '../../auth/authenticate.ts';
import { hasApiCredential, issueAdminToken } from '../../auth/credentials.ts';
import { createHostKeys } from '../../auth/keys.ts';
import { defaultHostConfig, type HostConfig } from '../../config.ts';
import type { HostContext } from '../../context.ts';
import { createJoinToken } from '../../nodes/enrol.ts';
import { createPresence } from '../../nodes/presence.ts';
import { runReconcile } from '../../reconcile/loop.ts';
import { loadCluster } from '../../store/meta.ts';
import { migrate } from '../../store/migrate.ts';
import { migrations } from '../../store/migrations.generated.ts';
import { createWrites } from '../../store/writes.ts';
import { isLoopback, localUrl, ownNames, writeEndpoint } from './endpoint.ts';
import { openDatabase, type OpenDatabase } from './open-database.ts';
import { createRunnerFetch } from './runner-fetch.ts';
import { createPlanMemory, createWakes } from './wakes.ts';

export interface HostOptions {
  dataDir: string;
  listen: { address: string; port: number };
  /** Allows plain HTTP on an address beyond loopback. */
  insecureHttp: boolean;
  /** Names by which clients reach the Host, besides those of this machine. */
  hostNames: readonly string[];
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
  const tls = await tlsFor(options, folder);
  const database = await openDatabase({ url: join(folder, 'weir.db') });
  const stopping = new AbortController();
  const runners = createRunnerFetch();
  try {
    const ctx = await buildContext(options, { database, tls, stopping: stopping.signal, runnerFetch: runners.fetch });
    await firstSecret(ctx, options.dataDir);
    const server = await serveApp(ctx, options, tls);
    const loops = runReconcile(ctx, stopping.signal);
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

async function tlsFor({ listen, insecureHttp, hostNames, log }: HostOptions, folder: string): Promise<TlsIdentity | null> {
  if (isLoopback(listen.address)) return null;
  if (insecureHttp) {
    log.warn({ listen: listen.address }, 'plain HTTP beyond loopback: anybody on the wire can read tokens and command the nodes');
    return null;
  }
  return loadTlsIdentity(join(folder, 'keys'), { commonName: 'weir', names: [...hostNames, ...tlsNames()], random: nodeRandom, now: systemClock.now() });
}

function tlsNames(): string[] {
  return ownNames().map((name) => name.replace(/^\[|\]$/g, '').replace(/%.*$/, ''));
}

interface Parts {
  database: OpenDatabase;
  tls: TlsIdentity | null;
  stopping: AbortSignal;
  runnerFetch: HostContext['runnerFetch'];
}

async function buildContext(options: HostOptions, { database, tls, stopping, runnerFetch }: Parts): Promise<HostContext> {
  const clock = options.clock ?? systemClock;
  const { db, client } = database;
  await migrate(client, migrations, clock.now());
  const metrics = createMetrics();
  const commitSeconds = metrics.histogram('weir_commit_seconds', 'Time of a commit.', { buckets: [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1] });
  const commitRows = metrics.counter('weir_commit_rows', 'Writes that were committed.');
  const wakes = createWakes();
  const writes = createWrites({
    db,
    defer: clock.defer,
    now: clock.monotonic,
    onCommit: ({ rows, durationMs }) => {
      commitSeconds.observe(durationMs / 1000);
      commitRows.add(rows);
      wakes.events.raise();
    },
  });
  const cluster = await writes.run((tx) => loadCluster(tx, () => toBase64Url(nodeRandom.bytes(9))));
  const keys = createHostKeys([await loadSigningKey(join(options.dataDir, 'host', 'keys'), 'signing')]);
  const config = { ...defaultHostConfig, ...options.config, hostNames: [...options.hostNames, ...ownNames()] };
  return {
    version: options.version,
    cluster,
    config,
    db,
    writes,
    clock,
    random: nodeRandom,
    hashes: nodeHashes,
    log: options.log,
    metrics,
    keys,
    authenticator: createAuthenticator({ db, keys, hashes: nodeHashes, clock }),
    wakes,
    presence: createPresence(clock),
    planMemory: createPlanMemory(),
    runnerFetch,
    tlsPin: tls?.pin ?? null,
    stopping,
  };
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
