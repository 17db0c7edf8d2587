import { isAbort } from '../../lib/abort.ts';
import { assertNever } from '../../lib/assert-never.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Logger } from '../../lib/logger.ts';
import { runLoop } from '../../lib/loop.ts';
import { createWake, type Wake } from '../../lib/wake.ts';
import { BackendError, type Backend, type WorkloadRef } from '../backend/backend.ts';
import type { HostClock } from '../host-clock.ts';
import type { Journal } from '../journal/journal.ts';
import type { LogKeeper } from '../logs/log-keeper.ts';
import { nextStep, type Step } from './next-step.ts';
import { watchBackend } from './observe-backend.ts';
import { giveUp, killNow, launch, settle, cleanUp, sendSignal } from './steps.ts';
import { createWorkloads, type Workloads } from './workloads.ts';
import type { Workload } from './workload.ts';

export interface ReconcilerOptions {
  backend: Backend;
  journal: Journal;
  logs: Pick<LogKeeper, 'follow' | 'complete'>;
  clock: Clock;
  hostClock: HostClock;
  log: Logger;
  node: { id: string; name: string };
}

/** Brings what runs in line with what is desired, and keeps what is seen for the Host. */
export interface Reconciler {
  readonly workloads: Workloads;
  /** Raised when there is something that the Host should hear at once. */
  readonly news: Wake;
  /** Works until the signal aborts; leaves every workload as it is. */
  run(signal: AbortSignal): Promise<void>;
  /** Something of the desired state or the workloads changed. */
  wake(): void;
}

const passEveryMs = 5000;
const retryMs = 1000;

export function createReconciler(options: ReconcilerOptions): Reconciler {
  const wake = createWake();
  const news = createWake();
  const workloads = createWorkloads({ ...options, changed: () => wake.raise(), news });
  const busy = new Map<Workload, AbortController>();
  const steps = new Set<Promise<void>>();

  const begin = (workload: Workload, signal: AbortSignal, work: (signal: AbortSignal) => Promise<void>): void => {
    const cancel = new AbortController();
    const until = AbortSignal.any([signal, cancel.signal]);
    busy.set(workload, cancel);
    const done = work(until)
      .catch((error: unknown) => reportFailure(options, workload, { error, until }))
      .finally(() => {
        busy.delete(workload);
        steps.delete(done);
        wake.raise();
      });
    steps.add(done);
  };

  const pass = async (signal: AbortSignal): Promise<number | undefined> => {
    if (!workloads.isListed()) return undefined;
    let againMs = workloads.raiseQuietNews() ?? Infinity;
    for (const workload of workloads.all()) {
      const step = nextStep(workload, busy.has(workload), {
        hostNowMs: options.hostClock.now(),
        nowMs: options.clock.monotonic(),
        orphanGraceMs: workloads.settings.orphanGraceMs,
      });
      if (step.do === 'nothing') againMs = Math.min(againMs, step.againMs ?? Infinity);
      else if (step.do === 'begin-stop') {
        workloads.update(workload, { stopping: { order: step.order, signalledMs: null, killedMs: null } });
        // A launch under way is called off; one that got through is stopped like any other.
        busy.get(workload)?.abort(new DOMException('told to stop', 'AbortError'));
        againMs = 0;
      } else begin(workload, signal, (until) => execute({ ...options, workloads }, { workload, step }, until));
    }
    return Number.isFinite(againMs) ? againMs : undefined;
  };

  return {
    workloads,
    news,
    wake: () => wake.raise(),
    async run(signal) {
      const { clock, log } = options;
      await Promise.all([
        watchBackend({ ...options, workloads }, signal),
        runLoop({ name: 'workloads', clock, log, wake, intervalMs: passEveryMs, retryMs }, pass, signal),
      ]);
      await Promise.allSettled(steps);
    },
  };
}

export type StepContext = ReconcilerOptions & { workloads: Workloads };

async function execute(
  ctx: StepContext,
  { workload, step }: { workload: Workload; step: Exclude<Step, { do: 'nothing' | 'begin-stop' }> },
  signal: AbortSignal,
): Promise<void> {
  switch (step.do) {
    case 'launch':
      return launch(ctx, workload, signal);
    case 'give-up':
      return giveUp(ctx, workload, signal);
    case 'signal':
      return sendSignal(ctx, { workload, name: step.name }, signal);
    case 'unpause-and-kill':
      return killNow(ctx, workload, signal);
    case 'mark-stuck':
      ctx.workloads.update(workload, { stuck: true });
      return;
    case 'settle':
      return settle(ctx, workload, signal);
    case 'clean-up':
      return cleanUp(ctx, workload, signal);
    default:
      return assertNever(step);
  }
}

/** A step that failed is decided anew by the next pass; an engine that is away is waited for. */
async function reportFailure(
  { log, clock }: ReconcilerOptions,
  { ref }: { ref: WorkloadRef },
  { error, until }: { error: unknown; until: AbortSignal },
): Promise<void> {
  if (isAbort(error, until)) return;
  const away = error instanceof BackendError && error.code === 'engine_down';
  log[away ? 'warn' : 'error']({ err: error, ...ref }, away ? 'the engine does not answer' : 'a step failed and will be made again');
  await clock.sleep(retryMs, until).catch(() => undefined);
}
