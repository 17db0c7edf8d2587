import { isAbort } from '../../lib/abort.ts';
import type { NodeId } from '../../protocol/ids.ts';
import type { CapacityReport } from '../../protocol/node-report.ts';
import { ProblemError } from '../../protocol/problem.ts';
import type { Ack, SyncAnswer, SyncRequest } from '../../protocol/sync.ts';
import type { HostContext } from '../context.ts';
import type { Transaction } from '../store/database.ts';
import { changeNode } from './change.ts';
import { hardwareChange, tellMissingGpus } from './hardware-change.ts';
import { readDesired } from './desired.ts';
import { doubt, heldRefusal, holdNode } from './double.ts';
import { checkProtocol } from './enrol.ts';
import { readNode, type NodeRow } from './queries.ts';
import { applyObservation, storedObservations } from './report.ts';

/** The calls that are held now, one a node. A newer one takes the place of the older. */
export interface Held {
  take(node: NodeId): AbortSignal;
  /** Digest that was last found equal to what is stored; `null` when unknown. */
  digest(node: NodeId): string | null;
  setDigest(node: NodeId, digest: string | null): void;
}

export function createHeld(): Held {
  const calls = new Map<NodeId, AbortController>();
  const digests = new Map<NodeId, string>();
  return {
    take(node) {
      calls.get(node)?.abort();
      const mine = new AbortController();
      calls.set(node, mine);
      return mine.signal;
    },
    digest: (node) => digests.get(node) ?? null,
    setDigest(node, digest) {
      if (digest === null) digests.delete(node);
      else digests.set(node, digest);
    },
  };
}

/**
 * One turn of the wire: takes over what the Runner observed, durable when answered, and answers what is desired of
 * it, holding the call until there is something to say.
 * @throws ProblemError `protocol_unsupported`, `unauthenticated` when the node was removed
 */
export async function syncNode(
  ctx: HostContext,
  { node, held, request }: { node: NodeId; held: Held; request: SyncRequest },
  signal: AbortSignal,
): Promise<SyncAnswer> {
  checkProtocol(request.protocol);
  // Where no call is held (workerd) requests must not reach into one another.
  const superseded = ctx.config.syncHoldMs === 0 ? new AbortController().signal : held.take(node);
  const { acked, wantFull } = await takeReport(ctx, { node, held, request });
  const urgent = acked.length > 0 || wantFull || request.holdMs === 0;
  const over = new AbortController();
  const until = AbortSignal.any([signal, superseded, ctx.stopping, over.signal]);
  const holdMs = urgent ? 0 : Math.min(request.holdMs, ctx.config.syncHoldMs);
  ctx.clock.sleep(holdMs, until).then(
    () => over.abort(),
    () => undefined,
  );
  const generation = await waitForGeneration(ctx, { node, above: appliedHere(ctx, request), once: urgent }, until);
  over.abort();
  ctx.presence.contact(node);
  const behind = generation !== appliedHere(ctx, request);
  return {
    epoch: ctx.cluster.epoch,
    generation,
    hostTime: ctx.clock.now(),
    ...(behind ? { desired: await readDesired(ctx.db, node, ctx.config) } : {}),
    acked,
    wantFull,
    superseded: superseded.aborted,
  };
}

/** Generations of another epoch say nothing here. */
function appliedHere(ctx: HostContext, request: SyncRequest): number {
  return request.epoch === ctx.cluster.epoch ? request.appliedGeneration : 0;
}

async function waitForGeneration(
  ctx: HostContext,
  { node, above, once }: { node: NodeId; above: number; once: boolean },
  until: AbortSignal,
): Promise<number> {
  for (;;) {
    const changed = ctx.wakes.node(node).wait(until);
    changed.catch(() => undefined);
    const row = await readNode(ctx.db, node);
    if (row === null) throw new ProblemError('unauthenticated', 'this node was removed');
    if (row.generation !== above || once || until.aborted) return row.generation;
    try {
      await changed;
    } catch (error) {
      if (!isAbort(error, until)) throw error;
    }
  }
}

interface Turn {
  node: NodeId;
  held: Held;
  request: SyncRequest;
}

async function takeReport(
  ctx: HostContext,
  { node, held, request }: Turn,
): Promise<{ acked: Ack[]; wantFull: boolean }> {
  const firstContact = ctx.presence.lastContactMs(node) === null;
  ctx.presence.contact(node);
  const load = request.load ?? request.capacity?.load;
  if (load) ctx.presence.setLoad(node, load);
  const acked = await storeReport(ctx, node, request);
  if (firstContact || acked.length > 0 || request.capacity) ctx.wakes.reconcile.raise();
  if (request.changes.length === 0 && held.digest(node) === request.digest) return { acked, wantFull: false };
  const stored = ctx.hashes.sha256(await storedObservations(ctx.db, node));
  const equal = stored === request.digest;
  held.setDigest(node, equal ? stored : null);
  return { acked, wantFull: !equal && !request.full };
}

async function storeReport(ctx: HostContext, node: NodeId, request: SyncRequest): Promise<Ack[]> {
  const row = await readNode(ctx.db, node);
  if (row === null) throw new ProblemError('unauthenticated', 'this node was removed');
  if (row.held !== null) throw heldRefusal(row, row.held.reason);
  if (request.changes.length === 0 && request.capacity === undefined && !isNews(row, request)) return [];
  const reason = doubt(row, request);
  if (reason !== null) {
    await ctx.writes.run((tx) => holdNode(tx, row, { reason, nowMs: ctx.clock.now() }));
    ctx.log.error({ node }, `${row.name} is held: ${reason}`);
    throw heldRefusal(row, reason);
  }
  return ctx.writes.run(async (tx) => {
    const nowMs = ctx.clock.now();
    await updateNode(tx, { node, request, nowMs });
    const acked: Ack[] = [];
    for (const seen of request.changes) acked.push(await applyObservation(tx, seen, { node, nowMs }));
    return acked;
  });
}

function isNews(row: NodeRow, { boot, addresses }: SyncRequest): boolean {
  return (
    row.state !== 'ready' || row.boot !== boot || row.apiAddress !== addresses.api || row.dataAddress !== addresses.data
  );
}

/** A contact makes a node ready again, unless a person called it lost: that work may have gone elsewhere. */
async function updateNode(
  tx: Transaction,
  { node, request, nowMs }: { node: NodeId; request: SyncRequest; nowMs: number },
) {
  const row = await readNode(tx, node);
  if (row === null) throw new ProblemError('unauthenticated', 'this node was removed');
  const capacity = lasting(request);
  const before = row.capacity?.hardware;
  const hardwareChanged = capacity !== null && JSON.stringify(capacity.hardware) !== JSON.stringify(before);
  if (!isNews(row, request) && !hardwareChanged) return;
  const set = {
    state: 'ready' as const,
    boot: request.boot,
    formerBoot: row.boot === request.boot ? row.formerBoot : row.boot,
    machineId: row.machineId === '' ? (capacity?.machineId ?? '') : row.machineId,
    apiAddress: request.addresses.api,
    dataAddress: request.addresses.data,
    lastContactMs: nowMs,
    ...(capacity === null ? {} : { capacity }),
  };
  const type = row.state === 'ready' && row.boot !== null ? 'node.updated' : 'node.ready';
  const change = hardwareChanged && before ? hardwareChange(before, capacity.hardware) : null;
  await changeNode(tx, row, {
    set,
    type,
    atMs: nowMs,
    ...(change === null ? {} : { tell: { hardwareChange: change } }),
  });
  if (hardwareChanged) await tellMissingGpus(tx, { node, nodeName: row.name, hardware: capacity.hardware, nowMs });
}

/** What is stored of a machine: never how busy it is. */
function lasting({ capacity }: SyncRequest): CapacityReport | null {
  if (capacity === undefined) return null;
  const { load: _, ...report } = capacity;
  return report;
}
