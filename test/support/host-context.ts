import { join } from 'node:path';
import { createApp, type HostApi } from '../../src/host/app.ts';
import { createAuthenticator } from '../../src/host/auth/authenticate.ts';
import { issueCredential } from '../../src/host/auth/credentials.ts';
import { createHostKeys } from '../../src/host/auth/keys.ts';
import { defaultHostConfig, type HostConfig } from '../../src/host/config.ts';
import type { HostContext } from '../../src/host/context.ts';
import { createPresence } from '../../src/host/nodes/presence.ts';
import { createSessionMemory } from '../../src/host/nodes/session-memory.ts';
import { createPlanMemory, createWakes } from '../../src/host/platform/node/wakes.ts';
import { loadCluster } from '../../src/host/store/meta.ts';
import { createWrites } from '../../src/host/store/writes.ts';
import { systemClock, type Clock } from '../../src/lib/clock.ts';
import { silentLogger, type Logger } from '../../src/lib/logger.ts';
import { createMetrics } from '../../src/lib/metrics.ts';
import { loadSigningKey, type SigningKey } from '../../src/lib/node/ed25519.ts';
import { nodeHashes, nodeRandom } from '../../src/lib/node/hashes.ts';
import { scopes, type Scope } from '../../src/protocol/credential.ts';
import { createCall, type Call } from './calls.ts';
import { openTestDatabase } from './database.ts';

export interface TestContextOptions {
  clock?: Clock;
  config?: Partial<HostConfig>;
  log?: Logger;
}

/** The Host without its server and its loops: the test makes each pass by itself. */
export interface TestContext extends AsyncDisposable {
  ctx: HostContext;
  app: HostApi;
  signingKey: SigningKey;
  /** With a token that may do everything. */
  token: string;
  call: Call;
  /** A token made as the Host makes them. */
  issue(wanted: { subject?: string; scopes?: readonly Scope[]; expiresMs?: number }): Promise<string>;
  /** Calls with another token. */
  callAs(token: string): Call;
  /** Ends what is held. */
  stop(): void;
}

export async function openTestContext(options: TestContextOptions = {}): Promise<TestContext> {
  const { clock = systemClock, config = {}, log = silentLogger } = options;
  const database = await openTestDatabase();
  const { db } = database;
  const signingKey = await loadSigningKey(join(database.path, '..', 'keys'), 'signing');
  const keys = createHostKeys([signingKey]);
  const wakes = createWakes();
  const stopping = new AbortController();
  const writes = createWrites({
    db,
    defer: systemClock.defer,
    now: clock.monotonic,
    onCommit: () => wakes.events.raise(),
  });
  const ctx: HostContext = {
    version: '0.0.0-test',
    cluster: await writes.run((tx) => loadCluster(tx, () => 'test-cluster')),
    config: { ...defaultHostConfig, ...config },
    db,
    writes,
    clock,
    random: nodeRandom,
    hashes: nodeHashes,
    log,
    metrics: createMetrics(),
    loopLagMs: () => 0,
    keys,
    authenticator: createAuthenticator({ db, keys, hashes: nodeHashes, clock }),
    wakes,
    presence: createPresence(clock),
    sessionTable: createSessionMemory({ clock, random: nodeRandom }),
    planMemory: createPlanMemory(),
    runnerFetch: () => Promise.reject(new Error('this test has no Runner to dial')),
    tlsPin: null,
    stopping: stopping.signal,
  };
  const app = createApp(ctx);
  const ask = async (path: string, init: RequestInit): Promise<Response> =>
    app.fetch(new Request(new URL(path, 'http://localhost'), init));
  const issue: TestContext['issue'] = async ({ subject = 'somebody', scopes: granted = scopes, expiresMs = null }) => {
    const wanted = { kind: 'api', subject, scopes: granted, nowMs: clock.now(), expiresMs } as const;
    return (await writes.run((tx) => issueCredential(tx, ctx, wanted))).token;
  };
  const token = await issue({ subject: 'admin' });
  return {
    ctx,
    app,
    signingKey,
    token,
    call: createCall(ask, token),
    issue,
    callAs: (other) => createCall(ask, other),
    stop: () => stopping.abort(),
    async [Symbol.asyncDispose]() {
      stopping.abort();
      await writes.close();
      await database[Symbol.asyncDispose]();
    },
  };
}
