import { ProblemError } from '../../protocol/problem.ts';
import type { SyncRequest } from '../../protocol/sync.ts';
import type { HostContext } from '../context.ts';
import type { Transaction } from '../store/database.ts';
import { changeNode } from './change.ts';
import { findNode, type NodeRow } from './queries.ts';

/** Why this report cannot be of the machine that the node is; `null` when nothing speaks against it. */
export function doubt(row: NodeRow, { boot, capacity }: Pick<SyncRequest, 'boot' | 'capacity'>): string | null {
  if (row.formerBoot === boot && row.boot !== boot)
    return 'two Runners use its key at one time: one data folder was copied';
  const machineId = capacity?.machineId ?? '';
  if (machineId === '' || row.machineId === '' || machineId === row.machineId) return null;
  return `it is another machine than the one that joined (machine id ${machineId}, joined with ${row.machineId})`;
}

/** Refuses both machines from now on; their work goes on. */
export async function holdNode(
  tx: Transaction,
  row: NodeRow,
  { reason, nowMs }: { reason: string; nowMs: number },
): Promise<void> {
  await changeNode(tx, row, { set: { held: { reason, sinceMs: nowMs } }, type: 'node.updated', atMs: nowMs });
}

export function heldRefusal(row: Pick<NodeRow, 'name'>, reason: string): ProblemError {
  return new ProblemError('forbidden', `${row.name} is held: ${reason}`, {
    fix: 'stop the one that should not be, then `weir node release`; or remove the node and join anew',
  });
}

/**
 * An operator has decided: the machine that reports next is the node.
 * @throws ProblemError `not_found`, `state_conflict` when it is not held
 */
export async function releaseNode(
  ctx: Pick<HostContext, 'writes' | 'clock' | 'wakes'>,
  { ref, actor }: { ref: string; actor: string },
): Promise<NodeRow> {
  const released = await ctx.writes.run(async (tx) => {
    const row = await findNode(tx, ref);
    if (row.held === null) throw new ProblemError('state_conflict', `${row.name} is not held`);
    // Its next report says which machine it is.
    const set = { held: null, formerBoot: null, machineId: '' };
    return (await changeNode(tx, row, { set, type: 'node.updated', atMs: ctx.clock.now(), actor })) ?? row;
  });
  ctx.wakes.reconcile.raise();
  return released;
}
