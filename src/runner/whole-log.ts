import type { Clock } from '../lib/clock.ts';
import type { WorkloadRef } from './backend/backend.ts';
import type { LogKeeper } from './logs/log-keeper.ts';
import type { Workloads } from './reconcile/workloads.ts';

interface Ports {
  workloads: Pick<Workloads, 'get'>;
  logs: Pick<LogKeeper, 'complete'>;
  clock: Clock;
}

/** The engine may hand over the last lines a moment after the end is known; longer than this nobody is kept waiting. */
const longestMs = 5000;

/** Waits until the output of an attempt that has ended is whole in our file; at once for any other. */
export async function wholeLog(
  { workloads, logs, clock }: Ports,
  ref: WorkloadRef,
  signal: AbortSignal,
): Promise<void> {
  const workload = workloads.get(ref);
  if (workload?.phase !== 'ended' || workload.backendEnd === null || workload.backendEnd === 'absent') return;
  const over = new AbortController();
  const until = AbortSignal.any([signal, over.signal]);
  clock.sleep(longestMs, until).then(
    () => over.abort(),
    () => undefined,
  );
  // What is there by then is what is given.
  await logs.complete(ref, until).catch(() => undefined);
  over.abort();
}
