import { isAbort } from '../../lib/abort.ts';
import { assertNever } from '../../lib/assert-never.ts';
import { runLoop } from '../../lib/loop.ts';
import { createWake, type Wake } from '../../lib/wake.ts';
import { shorten } from '../../lib/text.ts';
import { BackendError } from '../backend/backend.ts';
import { nextStep, type Step } from './next-step.ts';
import { watchBackend } from './observe-backend.ts';
import type { ReconcilerOptions, StepContext } from './ports.ts';
import { cleanUp, giveUp, killNow, launch, sendSignal, settle } from './steps.ts';
import { beginStopping, type Workload } from './workload.ts';
import { createWorkloads, type Workloads } from './workloads.ts';

/** Brings what runs in line with what is desired, and keeps what is seen for the Host. */
export interface Reconciler {
  readonly workloads: Workloads;
  /** Raised when there is something that the Host should hear at once. */
  readonly news: Wake;
  /** Works until the signal aborts; leaves every workload as it is. */
  run(signal: AbortSignal): Promise<void>;
}

const passEveryMs = 5000;
const retryMs = 1000;

export function createReconciler(options: ReconcilerOptions): Reconciler {
  const wake = createWake();
  const news = createWake();
  const workloads = createWorkloads({ ...options, changed: () => wake.raise(), news });
  const ctx: StepContext = { ...options, workloads };
  const underWay = new Map<Workload, { cancel: AbortController; done: Promise<void> }>();

  const begin = (workload: Workload, work: (signal: AbortSignal) => Promise<void>, signal: AbortSignal): void => {
    const cancel = new AbortController();
    const until = AbortSignal.any([signal, cancel.signal]);
    const done = work(until)
      .catch((error: unknown) => sayFailure(ctx, workload, { error, until }))
      .finally(() => {
        underWay.delete(workload);
        wake.raise();
      });
    underWay.set(workload, { cancel, done });
  };
  const pass = async (signal: AbortSignal): Promise<number | void> => {
    if (!workloads.isListed()) return;
    let againMs = workloads.raiseQuietNews() ?? Infinity;
    for (const workload of workloads.all()) {
      const step = decide(ctx, workload, underWay.has(workload));
      if (step.do === 'nothing') againMs = Math.min(againMs, step.againMs ?? Infinity);
      else if (step.do === 'begin-stop') {
        workloads.update(workload, { stopping: beginStopping(step.order) });
        // A launch under way is called off; one that got through is stopped like any other.
        underWay.get(workload)?.cancel.abort(new DOMException('told to stop', 'AbortError'));
        againMs = 0;
      } else if (step.do === 'settle') settle(ctx, workload);
      else begin(workload, (until) => execute(ctx, { workload, step }, until), signal);
    }
    return againMs;
  };

  return {
    workloads,
    news,
    async run(signal) {
      const { clock, log } = options;
      const loop = { name: 'workloads', clock, log, wake, intervalMs: passEveryMs, retryMs };
      await Promise.all([watchBackend(ctx, signal), runLoop(loop, pass, signal)]);
      await Promise.allSettled([...underWay.values()].map(({ done }) => done));
    },
  };
}

function decide({ hostClock, clock, workloads }: StepContext, workload: Workload, busy: boolean): Step {
  const { orphanGraceMs } = workloads.settings;
  const unheardMs = workloads.unheardMs();
  return nextStep(workload, busy, { hostNowMs: hostClock.now(), nowMs: clock.monotonic(), orphanGraceMs, unheardMs });
}

async function execute(
  ctx: StepContext,
  { workload, step }: { workload: Workload; step: Exclude<Step, { do: 'nothing' | 'begin-stop' | 'settle' }> },
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
      return markStuck(ctx, workload);
    case 'pause':
      return ctx.backend.pause(workload.ref, signal);
    case 'resume':
      return ctx.backend.resume(workload.ref, signal);
    case 'clean-up':
      return cleanUp(ctx, workload, signal);
    default:
      return assertNever(step);
  }
}

async function markStuck({ workloads }: StepContext, workload: Workload): Promise<void> {
  workloads.update(workload, { stuck: true });
}

/** A step that failed is decided anew by the next pass; an engine that is away is waited for. */
async function sayFailure(
  { log, clock, workloads }: StepContext,
  workload: Workload,
  { error, until }: { error: unknown; until: AbortSignal },
): Promise<void> {
  if (isAbort(error, until)) return;
  const away = error instanceof BackendError && error.code === 'engine_down';
  log[away ? 'warn' : 'error']({ err: error, ...workload.ref }, 'a step failed and will be made again');
  // The person whose task it is sees what it waits for.
  const waits = workload.phase === 'waiting' || workload.phase === 'pulling' || workload.phase === 'starting';
  if (away && waits) workloads.update(workload, { phase: 'starting', progress: shorten(error.message, 255) });
  await clock.sleep(retryMs, until).catch(() => undefined);
}
