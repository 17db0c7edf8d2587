import { runLoop } from '../../lib/loop.ts';
import { createWake } from '../../lib/wake.ts';
import type { NodeId } from '../../protocol/ids.ts';
import type { HostContext } from '../context.ts';
import { lastEventSeq } from '../events/queries.ts';
import { nodes } from '../store/schema.ts';

type Slice = Pick<HostContext, 'db' | 'clock' | 'log' | 'config' | 'wakes'>;

/**
 * Raises the wakes of this process for what other Hosts have committed to the shared database, by looking at it every
 * `pollMs`. Every change that somebody waits for comes with an event.
 */
export async function watchChanges(ctx: Slice, signal: AbortSignal): Promise<void> {
  const { clock, log, config } = ctx;
  const seen = new Map<NodeId, string>();
  let last = -1;
  const look = async (): Promise<void> => {
    const seq = await lastEventSeq(ctx.db);
    if (seq === last) return;
    last = seq;
    ctx.wakes.events.raise();
    ctx.wakes.reconcile.raise();
    for (const { id, generation, removedMs } of await readGenerations(ctx)) {
      const now = `${generation} ${removedMs ?? ''}`;
      if (seen.get(id) !== now) ctx.wakes.node(id).raise();
      seen.set(id, now);
    }
  };
  await runLoop(
    {
      name: 'changes',
      clock,
      log,
      wake: createWake(),
      intervalMs: config.pollMs,
      retryMs: config.pollMs,
    },
    look,
    signal,
  );
}

function readGenerations({ db }: Pick<Slice, 'db'>) {
  return db.select({ id: nodes.id, generation: nodes.generation, removedMs: nodes.removedMs }).from(nodes);
}
