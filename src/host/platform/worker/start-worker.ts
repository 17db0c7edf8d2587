import { createClient } from '@libsql/client/web';
import { systemClock } from '../../../lib/clock.ts';
import { toBase64Url } from '../../../lib/crypto.ts';
import { createMetrics } from '../../../lib/metrics.ts';
import { nodeHashes, nodeRandom } from '../../../lib/node/hashes.ts';
import { ProblemError } from '../../../protocol/problem.ts';
import { createApp, type HostApi } from '../../app.ts';
import { createAuthenticator } from '../../auth/authenticate.ts';
import { createHostKeys, type HostKeys } from '../../auth/keys.ts';
import { defaultHostConfig } from '../../config.ts';
import type { HostContext } from '../../context.ts';
import { createSharedPresence, type SharedPresence } from '../../nodes/shared-presence.ts';
import { createStoredSessions } from '../../nodes/stored-sessions.ts';
import { createDatabase, type Database } from '../../store/database.ts';
import { claimSigningKey, loadCluster, type Cluster } from '../../store/meta.ts';
import { migrate } from '../../store/migrate.ts';
import { migrations } from '../../store/migrations.generated.ts';
import { createTransactionScope } from '../node/transaction-scope.ts';
import { createPlanMemory } from '../node/wakes.ts';
import { createServerClient } from '../shared/server-client.ts';
import { createConsoleLog } from './console-log.ts';
import type { Environment } from './environment.ts';
import { createPollingWakes } from './polling-wakes.ts';
import { importSigningKey } from './signing-key.ts';
import { createSingleWrites } from './single-writes.ts';

/** The HTTP part of a Host in a worker. Holds nothing that belongs to one request. */
export interface WorkerHost {
  app: HostApi;
  presence: SharedPresence;
}

declare const WEIR_VERSION: string;

/** Requests share no queue: one that goes away would leave the others waiting. */
const concurrency = 100_000;

export async function startWorker(environment: Environment): Promise<WorkerHost> {
  const { databaseUrl: url, databaseToken: authToken } = environment;
  const client = createServerClient(
    createClient({ url, concurrency, ...(authToken === undefined ? {} : { authToken }) }),
  );
  const db = createDatabase(client, createTransactionScope());
  await migrate(client, migrations, systemClock.now());
  const { kid, ...signingKey } = await importSigningKey(environment.signingKey);
  const cluster = await createSingleWrites(db).run(async (tx) => {
    await claimSigningKey(tx, { kid, keysFolder: 'the secret WEIR_SIGNING_KEY' });
    return loadCluster(tx, () => toBase64Url(nodeRandom.bytes(9)));
  });
  const presence = createSharedPresence({
    db,
    clock: systemClock,
    knownMs: defaultHostConfig.suspectMs,
  });
  return {
    app: createApp(contextOf(environment, { db, cluster, presence, keys: createHostKeys([signingKey]) })),
    presence,
  };
}

interface Parts {
  db: Database;
  cluster: Cluster;
  presence: SharedPresence;
  keys: HostKeys;
}

function contextOf({ hostNames }: Environment, { db, cluster, presence, keys }: Parts): HostContext {
  const config = { ...defaultHostConfig, hostNames, syncHoldMs: 0 };
  return {
    version: typeof WEIR_VERSION === 'undefined' ? '0.0.0-source' : WEIR_VERSION,
    cluster,
    config,
    db,
    writes: createSingleWrites(db),
    clock: systemClock,
    random: nodeRandom,
    hashes: nodeHashes,
    log: createConsoleLog(),
    metrics: createMetrics(),
    loopLagMs: () => 0,
    keys,
    authenticator: createAuthenticator({ db, keys, hashes: nodeHashes, clock: systemClock }),
    wakes: createPollingWakes(systemClock, config.pollMs),
    presence,
    sessionTable: createStoredSessions({ db, keys, hashes: nodeHashes, random: nodeRandom }),
    planMemory: createPlanMemory(),
    runnerFetch: async () => {
      throw new ProblemError('node_unreachable', 'this Host runs in a worker, from where no node can be dialled', {
        fix: 'ask a Host of this cluster that runs as a process',
      });
    },
    tlsPin: null,
    // A worker is not told to stop, and an AbortSignal belongs to the request that made it.
    get stopping() {
      return new AbortController().signal;
    },
  };
}
