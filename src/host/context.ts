import type { Clock } from '../lib/clock.ts';
import type { Hashes, Random } from '../lib/crypto.ts';
import type { Logger } from '../lib/logger.ts';
import type { Metrics } from '../lib/metrics.ts';
import type { Wake } from '../lib/wake.ts';
import type { NodeId } from '../protocol/ids.ts';
import type { Load } from '../protocol/node-report.ts';
import type { Authenticator } from './auth/authenticate.ts';
import type { HostKeys } from './auth/keys.ts';
import type { HostConfig } from './config.ts';
import type { Plan } from './scheduling/plan.ts';
import type { Database } from './store/database.ts';
import type { Cluster } from './store/meta.ts';
import type { Writes } from './store/writes.ts';

/** Levels that domains raise when they changed something that somebody else works off. */
export interface Wakes {
  /** Something may be placed, judged or ended. */
  reconcile: Wake;
  /** The desired state of this node moved. */
  node(id: NodeId): Wake;
  /** Events were committed. */
  events: Wake;
}

/** What is known of nodes in this process alone: contacts, by the monotonic clock. */
export interface Presence {
  /** A request of this node was proved now. */
  contact(id: NodeId): void;
  /** Monotonic ms of the last contact since this Host's start; `null` when there was none. */
  lastContactMs(id: NodeId): number | null;
  setLoad(id: NodeId, load: Load): void;
  load(id: NodeId): Load | null;
  forget(id: NodeId): void;
}

/** The sessions of Runners that proved their keys; what happens here is at once or not at all. */
export interface SessionTable {
  /** Wall-clock ms before which proofs are not remembered: they are refused. */
  sinceMs: number;
  /** Makes a session and its key; `null` when its proof began one before. */
  begin(session: {
    node: NodeId;
    proofHash: string;
    nowMs: number;
    expiresMs: number;
  }): Promise<{ id: string; key: Uint8Array } | null>;
  /** Key of a session that was made, without a look whether it is still open; `null` when there never was such a one. */
  keyOf(id: string): Promise<Uint8Array | null>;
  /** Takes request `seq` of a session, once; `null` when there is no such session. */
  advance(id: string, seq: number): Promise<{ node: NodeId; expiresMs: number; fresh: boolean } | null>;
  /** Ends what a node has open. */
  end(node: NodeId): Promise<void>;
}

/** What one scheduling pass leaves to the next; lost at a restart without harm. */
export interface PlanMemory {
  /** `null` before the first pass. */
  last(): Plan | null;
  keep(plan: Plan): void;
}

/** Calls a Runner's API at the address that it last reported, with its key pinned. */
export type RunnerFetch = (
  runner: { id: NodeId; apiAddress: string; tlsPin: string | null },
  path: string,
  init: { headers: Record<string, string>; signal: AbortSignal },
) => Promise<Response>;

/** Everything the control plane leans on. Functions take the slice that they use; only `platform` builds it. */
export interface HostContext {
  version: string;
  cluster: Cluster;
  config: HostConfig;
  db: Database;
  writes: Writes;
  clock: Clock;
  random: Random;
  hashes: Hashes;
  log: Logger;
  metrics: Metrics;
  /** How late this process's loop was since it was asked last, 99th percentile, ms. */
  loopLagMs: () => number;
  keys: HostKeys;
  authenticator: Authenticator;
  wakes: Wakes;
  presence: Presence;
  sessionTable: SessionTable;
  planMemory: PlanMemory;
  runnerFetch: RunnerFetch;
  /** SHA-256 of the Host's TLS key in base64url; `null` when it speaks plain HTTP. */
  tlsPin: string | null;
  /** Aborts when the Host stops: held calls and streams end. */
  stopping: AbortSignal;
}
