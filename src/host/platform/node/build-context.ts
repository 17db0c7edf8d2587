import { systemClock, type Clock } from '../../../lib/clock.ts';
import { toBase64Url } from '../../../lib/crypto.ts';
import type { Logger } from '../../../lib/logger.ts';
import { createMetrics, type Metrics } from '../../../lib/metrics.ts';
import { loadSigningKey } from '../../../lib/node/ed25519.ts';
import { measureLoopLag } from '../../../lib/node/loop-lag.ts';
import { nodeHashes, nodeRandom } from '../../../lib/node/hashes.ts';
import type { TlsIdentity } from '../../../lib/node/tls-identity.ts';
import { createAuthenticator } from '../../auth/authenticate.ts';
import { createHostKeys } from '../../auth/keys.ts';
import { defaultHostConfig, type HostConfig } from '../../config.ts';
import type { HostContext, Wakes } from '../../context.ts';
import { createPresence } from '../../nodes/presence.ts';
import { createSessionMemory } from '../../nodes/session-memory.ts';
import { createSharedPresence, type SharedPresence } from '../../nodes/shared-presence.ts';
import { createStoredSessions } from '../../nodes/stored-sessions.ts';
import type { Database } from '../../store/database.ts';
import { claimSigningKey, loadCluster } from '../../store/meta.ts';
import { migrate } from '../../store/migrate.ts';
import { migrations } from '../../store/migrations.generated.ts';
import { createWrites, type Writes } from '../../store/writes.ts';
import { ownNames } from './endpoint.ts';
import type { OpenDatabase } from './open-database.ts';
import { createPlanMemory, createWakes } from './wakes.ts';

export interface ContextOptions {
  hostNames: readonly string[];
  version: string;
  log: Logger;
  config?: Partial<HostConfig>;
  clock?: Clock;
}

export interface Parts {
  database: OpenDatabase;
  keysFolder: string;
  tls: TlsIdentity | null;
  stopping: AbortSignal;
  runnerFetch: HostContext['runnerFetch'];
}

/** The context of a Host, and its contacts as other Hosts see them where the database is shared. */
export interface Built {
  ctx: HostContext;
  sharedPresence: SharedPresence | null;
}

export async function buildContext(options: ContextOptions, parts: Parts): Promise<Built> {
  const { database, keysFolder, tls, stopping, runnerFetch } = parts;
  const clock = options.clock ?? systemClock;
  const { db, client, shared } = database;
  await migrate(client, migrations, clock.now());
  const metrics = createMetrics();
  const wakes = createWakes();
  const writes = meteredWrites({ db, clock, metrics, wakes });
  const cluster = await writes.run((tx) => loadCluster(tx, () => toBase64Url(nodeRandom.bytes(9))));
  const signingKey = await loadSigningKey(keysFolder, 'signing');
  if (shared) await writes.run((tx) => claimSigningKey(tx, { kid: signingKey.kid, keysFolder }));
  const keys = createHostKeys([signingKey]);
  const config = {
    ...defaultHostConfig,
    ...options.config,
    hostNames: [...options.hostNames, ...ownNames()],
  };
  const sharedPresence = shared ? createSharedPresence({ db, clock, knownMs: config.suspectMs }) : null;
  const loopLag = measureLoopLag();
  stopping.addEventListener('abort', () => loopLag[Symbol.dispose](), { once: true });
  const ctx: HostContext = {
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
    loopLagMs: () => loopLag.takeP99Ms(),
    keys,
    authenticator: createAuthenticator({ db, keys, hashes: nodeHashes, clock }),
    wakes,
    presence: sharedPresence ?? createPresence(clock),
    sessionTable: shared
      ? createStoredSessions({ db, keys, hashes: nodeHashes, random: nodeRandom })
      : createSessionMemory({ clock, random: nodeRandom }),
    planMemory: createPlanMemory(),
    runnerFetch,
    tlsPin: tls?.pin ?? null,
    stopping,
  };
  return { ctx, sharedPresence };
}

function meteredWrites({
  db,
  clock,
  metrics,
  wakes,
}: {
  db: Database;
  clock: HostContext['clock'];
  metrics: Metrics;
  wakes: Wakes;
}): Writes {
  const commitSeconds = metrics.histogram('weir_commit_seconds', 'Time of a commit.', {
    buckets: [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1],
  });
  const commitRows = metrics.histogram('weir_commit_rows', 'Writes that shared a commit.', {
    buckets: [1, 2, 5, 10, 50, 100, 500],
  });
  return createWrites({
    db,
    defer: clock.defer,
    now: clock.monotonic,
    onCommit: ({ rows, durationMs }) => {
      commitSeconds.observe(durationMs / 1000);
      commitRows.observe(rows);
      wakes.events.raise();
    },
  });
}
