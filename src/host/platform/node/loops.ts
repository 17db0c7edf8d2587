import { runLoop } from '../../../lib/loop.ts';
import { createWake } from '../../../lib/wake.ts';
import { together } from '../../../lib/together.ts';
import { leadWhileHeld } from '../../reconcile/lead.ts';
import { createReconcile } from '../../reconcile/loop.ts';
import { watchChanges } from '../../reconcile/watch-changes.ts';
import type { Built } from './build-context.ts';

const exchangeEveryMs = 1000;

/** The loops of a Host. Where others may share its database, it leads by a lease and looks for what they changed. */
export async function runLoops({ ctx, sharedPresence }: Built, signal: AbortSignal): Promise<void> {
  const reconcile = createReconcile(ctx);
  if (sharedPresence === null) return reconcile(ctx, signal);
  const { clock, log } = ctx;
  const exchange = {
    name: 'contacts',
    clock,
    log,
    wake: createWake(),
    intervalMs: exchangeEveryMs,
    retryMs: exchangeEveryMs,
  };
  const exchangeContacts = async (): Promise<void> => {
    if (await sharedPresence.exchange()) ctx.wakes.reconcile.raise();
  };
  await together(signal, [
    (until) => leadWhileHeld(ctx, reconcile, until),
    (until) => watchChanges(ctx, until),
    (until) => runLoop(exchange, exchangeContacts, until),
  ]);
}
