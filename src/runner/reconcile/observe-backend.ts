import { isAbort } from '../../lib/abort.ts';
import { BackendError, type BackendEvent, type BackendWorkload } from '../backend/backend.ts';
import type { StepContext } from './ports.ts';
import { keyOf, type Workload } from './workload.ts';

const retryMs = 1000;

/** Follows the backend's events; each `relist` reads everything anew, since an event is a hint and the list the truth. */
export async function watchBackend(ctx: StepContext, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    try {
      for await (const event of ctx.backend.watch(signal)) await takeEvent(ctx, event, signal);
    } catch (error) {
      if (isAbort(error, signal)) return;
      const away = error instanceof BackendError && error.code === 'engine_down';
      ctx.log[away ? 'warn' : 'error']({ err: error }, 'the engine was not watched for a moment');
      await ctx.clock.sleep(retryMs, signal).catch(() => undefined);
    }
  }
}

async function takeEvent(ctx: StepContext, event: BackendEvent, signal: AbortSignal): Promise<void> {
  if (event.kind === 'relist') {
    await relist(ctx, signal);
    return;
  }
  const workload = ctx.workloads.get(event.ref);
  if (!workload || workload.phase === 'ended') return;
  if (event.kind === 'ended') takeEnd(ctx, workload, event.end);
  else if (event.kind === 'removed') {
    if (workload.backendEnd === null) takeEnd(ctx, workload, 'absent');
  } else takePhase(ctx, workload, event.phase);
}

/** The start call answers later than the event: a short task would be told only when it is over. */
function takePhase(ctx: StepContext, workload: Workload, phase: 'running' | 'paused'): void {
  const starts = workload.phase === 'starting' && phase === 'running';
  if (!starts && workload.phase !== 'running' && workload.phase !== 'paused') return;
  if (starts) ctx.logs.follow(workload.ref);
  ctx.workloads.update(workload, { phase, startedAtMs: workload.startedAtMs ?? ctx.hostClock.now() });
}

function takeEnd(ctx: StepContext, workload: Workload, end: Workload['backendEnd']): void {
  ctx.workloads.update(workload, { backendEnd: end });
}

/** Compares everything that the backend holds with everything that is known. */
export async function relist(ctx: StepContext, signal: AbortSignal): Promise<void> {
  // One that never got as far as running is launched anew: the create was not made, or not whole. One that starts
  // while the engine lists is in no list.
  const ran = [...ctx.workloads.all()].filter(({ startedAtMs }) => startedAtMs !== null);
  const listed = await ctx.backend.list(signal);
  const present = new Set(listed.map(({ ref }) => keyOf(ref)));
  for (const seen of listed) await takeListed(ctx, seen, signal);
  for (const workload of ran) {
    const open = workload.phase !== 'ended' && workload.backendEnd === null;
    if (open && !present.has(keyOf(workload.ref))) takeEnd(ctx, workload, 'absent');
  }
  ctx.workloads.markListed();
}

async function takeListed(ctx: StepContext, seen: BackendWorkload, signal: AbortSignal): Promise<void> {
  const known = ctx.workloads.get(seen.ref);
  const workload = known ?? ctx.workloads.adopt(seen.ref);
  if (workload.phase === 'ended' || workload.backendEnd !== null) return;
  if (seen.phase === 'created') {
    takeCreated(ctx, workload);
    return;
  }
  if (workload.startedAtMs !== null && seen.startedAtMs !== null)
    ctx.hostClock.assume(workload.startedAtMs, seen.startedAtMs);
  const startedAtMs =
    workload.startedAtMs ?? (seen.startedAtMs === null ? null : ctx.hostClock.fromWall(seen.startedAtMs));
  if (seen.phase === 'ended') {
    const end = await ctx.backend.end(seen.ref, signal);
    ctx.workloads.update(workload, { startedAtMs });
    ctx.logs.follow(seen.ref);
    if (end !== null) takeEnd(ctx, workload, end);
    return;
  }
  if (workload.phase === seen.phase) return;
  if (workload.phase !== 'waiting' && workload.phase !== 'running' && workload.phase !== 'paused') return;
  ctx.workloads.update(workload, { phase: seen.phase, startedAtMs, launched: true });
  ctx.logs.follow(seen.ref);
}

/** A Runner died between create and start: the launch is made again, which starts it. */
function takeCreated(ctx: StepContext, workload: Workload): void {
  if (workload.phase === 'waiting') ctx.workloads.update(workload, { launched: true });
}
