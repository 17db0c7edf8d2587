import type { Assignment, Observation, ObservedState, StopOrder } from '../../protocol/sync.ts';
import type { End } from '../../protocol/task-end.ts';
import type { BackendEnd, WorkloadRef } from '../backend/backend.ts';
import type { JournalEntry } from '../journal/journal.ts';

/** `waiting`: nothing was done yet. The others are what the Host is told. */
export type Phase = 'waiting' | Exclude<ObservedState, 'stopping'>;

/** How far the stop ladder has gone. Times by the monotonic clock, ms. */
export interface Stopping {
  order: StopOrder;
  /** A signal of ours may have reached it: an end from here on is the order's doing. */
  told: boolean;
  /** When the stop signal was sent; `null` while nothing runs that could get it. */
  signalledMs: number | null;
  killedMs: number | null;
}

/** One attempt on this machine: what is asked of it and what is seen of it. */
export interface Workload {
  readonly ref: WorkloadRef;
  readonly epoch: number;
  assignment: Assignment | null;
  phase: Phase;
  progress: string | null;
  launched: boolean;
  startedAtMs: number | null;
  stopping: Stopping | null;
  stuck: boolean;
  end: End | null;
  endedAtMs: number | null;
  /** How its process ended, while the evidence is gathered. */
  backendEnd: BackendEnd | 'absent' | null;
  /** Since when nobody desires it, by the monotonic clock, ms. */
  orphanSinceMs: number | null;
  /** Grows with each change that the Host should know of. */
  version: number;
  sentVersion: number;
  ackedVersion: number;
  /** The Host said that it does not count it as this node's: it is not in its digest. */
  disowned: boolean;
  /** The Host has the end, or does not want it: what is left here can go. */
  released: boolean;
}

export function newWorkload(ref: WorkloadRef, epoch: number): Workload {
  return {
    ref,
    epoch,
    assignment: null,
    phase: 'waiting',
    progress: null,
    launched: false,
    startedAtMs: null,
    stopping: null,
    stuck: false,
    end: null,
    endedAtMs: null,
    backendEnd: null,
    orphanSinceMs: null,
    version: 0,
    sentVersion: 0,
    ackedVersion: 0,
    disowned: false,
    released: false,
  };
}

export function beginStopping(order: StopOrder): Stopping {
  return { order, told: false, signalledMs: null, killedMs: null };
}

export function fromJournal(entry: JournalEntry): Workload {
  const workload = newWorkload(entry.ref, entry.epoch);
  workload.assignment = entry.assignment;
  workload.launched = entry.launched;
  workload.startedAtMs = entry.startedAtMs;
  workload.stopping = entry.stop && { ...beginStopping(entry.stop), told: true };
  workload.end = entry.end;
  workload.endedAtMs = entry.endedAtMs;
  if (entry.end !== null) workload.phase = 'ended';
  workload.version = 1;
  return workload;
}

export function toJournal(workload: Workload): JournalEntry {
  const { ref, epoch, assignment, launched, startedAtMs, end, endedAtMs } = workload;
  return { ref, epoch, assignment, launched, startedAtMs, stop: workload.stopping?.order ?? null, end, endedAtMs };
}

/** What the Host is told; `null` while there is nothing to tell. `nowMs` is Host time. */
export function observe(workload: Workload, nowMs: number): Observation | null {
  const { phase, ref, stuck, progress, startedAtMs, end, endedAtMs } = workload;
  if (phase === 'waiting') return null;
  return {
    task: ref.task,
    attempt: ref.attempt,
    state: phase !== 'ended' && workload.stopping !== null ? 'stopping' : phase,
    stuck,
    progress,
    at: endedAtMs ?? nowMs,
    startedAt: startedAtMs,
    end,
  };
}

export function keyOf(ref: Pick<WorkloadRef, 'task' | 'attempt'>): string {
  return `${ref.task} ${ref.attempt}`;
}
