import { isAbort } from '../../lib/abort.ts';
import { bareEnd } from '../../protocol/task-end.ts';
import type { WorkloadSpec } from '../../protocol/sync.ts';
import type { Signal } from '../../protocol/task-spec.ts';
import { BackendError, type Backend, type BackendEnd, type StartOrder } from '../backend/backend.ts';
import { judgeEnd } from './judge-end.ts';
import type { StepContext } from './ports.ts';
import type { Workload } from './workload.ts';

/**
 * Gets the image and starts the workload. A refusal of the engine ends it; where the engine is away or the start was
 * broken off, the launch is made again and finds what is there.
 */
export async function launch(ctx: StepContext, workload: Workload, signal: AbortSignal): Promise<void> {
  const { backend, workloads, hostClock, logs } = ctx;
  const order = startOrder(ctx, workload);
  try {
    await backend.pull(order.spec.image, showProgress(ctx, workload), signal);
    workloads.update(workload, { phase: 'starting', progress: null, launched: true });
    const started = await backend.start(order, signal);
    logs.follow(workload.ref);
    // The events were quicker where its end is known by now: the call comes back only when its network is gone.
    if (hasEnded(workload)) return;
    const startedAtMs = started.startedAtMs === null ? hostClock.now() : hostClock.fromWall(started.startedAtMs);
    workloads.update(workload, { phase: started.phase === 'paused' ? 'paused' : 'running', startedAtMs });
    const over =
      started.phase === 'ended' && workload.backendEnd === null ? await backend.end(workload.ref, signal) : null;
    if (over !== null) workloads.update(workload, { backendEnd: over });
  } catch (error) {
    if (isAbort(error, signal) || !(error instanceof BackendError) || error.code === 'engine_down') throw error;
    if (!hasEnded(workload)) end(ctx, workload, bareEnd(error.code, error.message));
  }
}

/** Read anew, since events come in while a call is under way. */
function hasEnded({ phase, backendEnd }: Workload): boolean {
  return phase === 'ended' || backendEnd !== null;
}

/** A pull says much; the Host hears of it twice a second. */
const progressEveryMs = 500;

function showProgress({ workloads, clock }: StepContext, workload: Workload): (text: string) => void {
  let nextMs = 0;
  return (progress) => {
    if (clock.monotonic() < nextMs) return;
    nextMs = clock.monotonic() + progressEveryMs;
    workloads.update(workload, { phase: 'pulling', progress });
  };
}

function startOrder({ node }: StepContext, { ref, assignment }: Workload): StartOrder {
  if (assignment === null) throw new Error(`${ref.task} was to be launched without an assignment`);
  const env = {
    WEIR_TASK_ID: ref.task,
    WEIR_TASK_NAME: assignment.spec.name,
    WEIR_ATTEMPT: String(ref.attempt),
    WEIR_NODE: node.name,
    ...arrayEnv(assignment.spec.array),
  };
  return { ref, generation: assignment.generation, spec: assignment.spec, env };
}

/** Where a member stands in its array. */
function arrayEnv(array: WorkloadSpec['array']): Record<string, string> {
  if (array === undefined) return {};
  return { WEIR_ARRAY_ID: array.id, WEIR_ARRAY_INDEX: String(array.index), WEIR_ARRAY_SIZE: String(array.size) };
}

/** Told to stop before anything ran: what may have been created goes, and it ends as it was told. */
export async function giveUp(ctx: StepContext, workload: Workload, signal: AbortSignal): Promise<void> {
  const { backend, workloads, hostClock } = ctx;
  const seen = workload.launched ? await backend.end(workload.ref, signal) : 'absent';
  if (seen === null && !(await removeCreated(ctx, workload, signal))) {
    // The start got through before it was called off.
    workloads.update(workload, { phase: 'running', startedAtMs: workload.startedAtMs ?? hostClock.now() });
    return;
  }
  if (seen === null || seen === 'absent') end(ctx, workload, judgeEnd('absent', workload.stopping?.order ?? null));
  else workloads.update(workload, { backendEnd: seen });
}

/** Takes away what was created and never ran: a signal would not reach it. Whether there was such. */
async function removeCreated({ backend }: StepContext, { ref }: Workload, signal: AbortSignal): Promise<boolean> {
  const listed = await backend.list(signal);
  const standing = listed.find((one) => one.ref.task === ref.task && one.ref.attempt === ref.attempt);
  if (standing !== undefined && standing.phase !== 'created') return false;
  await backend.remove(ref, signal);
  return true;
}

export async function sendSignal(
  { backend, workloads, clock }: StepContext,
  { workload, name }: { workload: Workload; name: Signal },
  signal: AbortSignal,
): Promise<void> {
  const { stopping } = workload;
  if (stopping === null) return;
  await kill(backend, { workload, name }, signal);
  workloads.update(workload, { stopping: { ...stopping, told: true, signalledMs: clock.monotonic() } });
}

export async function killNow(
  { backend, workloads, clock }: StepContext,
  workload: Workload,
  signal: AbortSignal,
): Promise<void> {
  const { stopping } = workload;
  if (stopping === null) return;
  if (workload.phase === 'paused') await backend.resume(workload.ref, signal);
  await kill(backend, { workload, name: 'SIGKILL' }, signal);
  const nowMs = clock.monotonic();
  workloads.update(workload, {
    stopping: { ...stopping, told: true, signalledMs: stopping.signalledMs ?? nowMs, killedMs: nowMs },
  });
}

/** From the call on an end may be its doing, unless the engine was away: then nothing was told. */
async function kill(
  backend: Backend,
  { workload: { ref, stopping }, name }: { workload: Workload; name: Signal },
  signal: AbortSignal,
): Promise<void> {
  const before = stopping?.told ?? false;
  if (stopping) stopping.told = true;
  try {
    await backend.kill(ref, name, signal);
  } catch (error) {
    if (stopping && error instanceof BackendError && error.code === 'engine_down') stopping.told = before;
    throw error;
  }
}

/** Its process has ended: says why, and lets its output be read to the end. */
export function settle(ctx: StepContext, workload: Workload): void {
  const { backendEnd, stopping } = workload;
  if (backendEnd === null) return;
  // Its output may be asked for as soon as its end is known.
  if (backendEnd !== 'absent') ctx.logs.follow(workload.ref);
  end(ctx, workload, judgeEnd(backendEnd, stopping?.told ? stopping.order : null));
}

/** The Host has taken note: takes the container away once its output is in our file. */
export async function cleanUp(
  { backend, workloads, logs }: StepContext,
  workload: Workload,
  signal: AbortSignal,
): Promise<void> {
  if (workload.startedAtMs !== null && workload.backendEnd !== 'absent') await logs.complete(workload.ref, signal);
  if (workload.launched) await backend.remove(workload.ref, signal);
  workloads.forget(workload);
}

function end({ workloads, hostClock }: StepContext, workload: Workload, told: ReturnType<typeof judgeEnd>): void {
  const endedAtMs = endOf(workload.backendEnd, hostClock.fromWall) ?? hostClock.now();
  workloads.update(workload, { phase: 'ended', progress: null, stuck: false, end: told, endedAtMs });
}

function endOf(seen: BackendEnd | 'absent' | null, fromWall: (ms: number) => number): number | null {
  if (seen === null || seen === 'absent' || seen.endedAtMs === null) return null;
  return fromWall(seen.endedAtMs);
}
