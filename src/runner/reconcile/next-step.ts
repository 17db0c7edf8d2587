import { formatDuration } from '../../lib/duration.ts';
import type { Signal } from '../../protocol/task-spec.ts';
import type { StopOrder } from '../../protocol/sync.ts';
import type { Workload } from './workload.ts';

/** What is to be done with one workload now. */
export type Step =
  | { do: 'nothing'; /** When to look again, ms from now. */ againMs: number | null }
  | { do: 'launch' }
  | { do: 'begin-stop'; order: StopOrder }
  | { do: 'give-up' /** It never ran: it ends with the order's cause. */ }
  | { do: 'signal'; name: Signal }
  | { do: 'unpause-and-kill' }
  | { do: 'mark-stuck' }
  | { do: 'settle' /** Its process ended: judge and tell, also while the start call has not come back. */ }
  | { do: 'pause' }
  | { do: 'resume' }
  | { do: 'clean-up' };

export interface StepTimes {
  /** Host time, ms. */
  hostNowMs: number;
  /** By the monotonic clock, ms. */
  nowMs: number;
  orphanGraceMs: number;
  /** Since the Host last answered, ms. */
  unheardMs: number;
}

/** How long a process may live on after SIGKILL before it is called stuck; SIGKILL is sent again as often. */
const stuckAfterMs = 10_000;
const defaultGraceMs = 10_000;
const beforeRunning = new Set<Workload['phase']>(['waiting', 'pulling', 'starting']);

/** Decides from the stored truth alone; `busy` says that an earlier step of it is still under way. */
export function nextStep(workload: Workload, busy: boolean, times: StepTimes): Step {
  const order = stopOrder(workload, times);
  if (workload.phase === 'ended') {
    return workload.released && !busy ? { do: 'clean-up' } : { do: 'nothing', againMs: null };
  }
  if (workload.backendEnd !== null) return { do: 'settle' };
  if (workload.stopping === null && order !== null) return { do: 'begin-stop', order };
  if (workload.stopping !== null) return stopStep(workload, busy, times);
  if (beforeRunning.has(workload.phase) && workload.assignment !== null && !busy) return { do: 'launch' };
  if (!busy && workload.phase === 'running' && workload.assignment?.paused === true) return { do: 'pause' };
  if (!busy && workload.phase === 'paused' && workload.assignment?.paused === false) return { do: 'resume' };
  return { do: 'nothing', againMs: againMs(workload, times) };
}

function stopOrder(workload: Workload, times: StepTimes): StopOrder | null {
  const { assignment, startedAtMs, orphanSinceMs } = workload;
  if (assignment?.stop) return assignment.stop;
  const limitMs = assignment?.spec.timeLimitMs ?? null;
  if (limitMs !== null && startedAtMs !== null && times.hostNowMs - startedAtMs >= limitMs) {
    return { cause: 'timeout', message: `ran longer than its limit of ${formatDuration(limitMs)}`, kill: false };
  }
  const leaseMs = assignment?.spec.leaseMs ?? Infinity;
  if (times.unheardMs >= leaseMs) {
    const message = `its node did not hear of the Host for ${formatDuration(leaseMs)}: it may run elsewhere now`;
    return { cause: 'node_lost', message, kill: false };
  }
  if (orphanSinceMs !== null && times.nowMs - orphanSinceMs >= times.orphanGraceMs) {
    return { cause: 'killed_by', message: 'the Host does not know it', kill: false };
  }
  return null;
}

function againMs({ assignment, startedAtMs, orphanSinceMs }: Workload, times: StepTimes): number | null {
  const limitMs = assignment?.spec.timeLimitMs ?? null;
  const untilLimit = limitMs !== null && startedAtMs !== null ? startedAtMs + limitMs - times.hostNowMs : Infinity;
  const untilReaped = orphanSinceMs === null ? Infinity : orphanSinceMs + times.orphanGraceMs - times.nowMs;
  const untilLease = (assignment?.spec.leaseMs ?? Infinity) - times.unheardMs;
  const soonest = Math.min(untilLimit, untilReaped, untilLease);
  return Number.isFinite(soonest) ? Math.max(0, soonest) : null;
}

/** The ladder: stop signal, grace, SIGKILL, and the honest word when that does not help. */
function stopStep(workload: Workload, busy: boolean, { nowMs }: StepTimes): Step {
  const { stopping, phase, assignment } = workload;
  if (stopping === null || busy) return { do: 'nothing', againMs: null };
  if (beforeRunning.has(phase)) return { do: 'give-up' };
  const { signalledMs, killedMs, order } = stopping;
  if (killedMs !== null) {
    const waitedMs = nowMs - killedMs;
    if (waitedMs < stuckAfterMs) return { do: 'nothing', againMs: stuckAfterMs - waitedMs };
    return workload.stuck ? { do: 'unpause-and-kill' } : { do: 'mark-stuck' };
  }
  const spec = assignment?.spec;
  if (signalledMs === null && !order.kill && phase !== 'paused')
    return { do: 'signal', name: spec?.stopSignal ?? 'SIGTERM' };
  const graceMs = spec?.stopGraceMs ?? defaultGraceMs;
  const leftMs = signalledMs === null ? 0 : signalledMs + graceMs - nowMs;
  return leftMs > 0 && !order.kill ? { do: 'nothing', againMs: leftMs } : { do: 'unpause-and-kill' };
}
