/** What an operator may set on the Host. Times in ms. */
export interface HostConfig {
  /** Names under which clients may reach the Host: what `Host` headers are checked against. */
  hostNames: readonly string[];
  syncHoldMs: number;
  suspectMs: number;
  unreachableMs: number;
  /** After a start or a stall nobody is judged for so long. */
  judgeGraceMs: number;
  orphanGraceMs: number;
  /** A silence of the Host's own loop that counts as a stall. */
  stallMs: number;
  /** Where several Hosts share a database: for how long one may schedule without renewing its lease. */
  leaseMs: number;
  /** Where several Hosts share a database: how often each looks for what the others changed. */
  pollMs: number;
  eventRetentionMs: number;
  eventRetentionRows: number;
  idempotencyMs: number;
  /** What the planner reckons with for a task without a time limit; it stops nothing. */
  defaultLimitMs: number;
  /** A task that has waited so long takes the next free reservation of its class. */
  reservationGuardMs: number;
  /** Searches for a place that one scheduling pass may spend. */
  passBudgetTries: number;
  maxBatch: number;
  /** Image of tasks that name none; `null`: they are refused. */
  defaultImage: string | null;
  /** Of tasks that ask to be requeued when their node stays away. */
  defaultLeaseMs: number;
}

export const defaultHostConfig: HostConfig = {
  hostNames: [],
  syncHoldMs: 20_000,
  suspectMs: 30_000,
  unreachableMs: 90_000,
  judgeGraceMs: 60_000,
  orphanGraceMs: 600_000,
  stallMs: 10_000,
  leaseMs: 15_000,
  pollMs: 250,
  eventRetentionMs: 7 * 86_400_000,
  eventRetentionRows: 1_000_000,
  idempotencyMs: 86_400_000,
  defaultLimitMs: 86_400_000,
  reservationGuardMs: 86_400_000,
  passBudgetTries: 200_000,
  maxBatch: 1000,
  defaultImage: null,
  defaultLeaseMs: 3_600_000,
};
