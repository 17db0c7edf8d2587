import type { Clock } from '../../lib/clock.ts';
import type { Wake } from '../../lib/wake.ts';
import { observedText, type Ack, type Assignment, type Desired, type Observation } from '../../protocol/sync.ts';
import type { WorkloadRef } from '../backend/backend.ts';
import type { HostClock } from '../host-clock.ts';
import type { Journal } from '../journal/journal.ts';
import { judgeEnd } from './judge-end.ts';
import { fromJournal, keyOf, newWorkload, observe, toJournal, type Workload } from './workload.ts';

/** What may change of a workload by `update`. */
export type WorkloadChange = Partial<
  Pick<
    Workload,
    'phase' | 'progress' | 'launched' | 'startedAtMs' | 'stopping' | 'stuck' | 'end' | 'endedAtMs' | 'backendEnd' | 'released'
  >
>;

/** All attempts that this Runner knows of, the journal kept in step. */
export interface Workloads {
  readonly settings: Desired['settings'];
  all(): Iterable<Workload>;
  get(ref: WorkloadRef): Workload | undefined;
  /** Takes in one that the backend holds and nobody knew of. */
  adopt(ref: WorkloadRef): Workload;
  /** Changes one; what must survive is in the journal when this returns. */
  update(workload: Workload, change: WorkloadChange): void;
  forget(workload: Workload): void;
  /** Takes over the whole desired set of this node. */
  applyDesired(desired: Desired, epoch: number): void;
  applyAck(ack: Ack): void;
  /** What the Host has not acknowledged, or all of it; marks it as sent. */
  report(options: { full: boolean }): { changes: Observation[]; digestText: string };
  /** Whether there is something that no call has carried yet. */
  hasUnsent(): boolean;
  /** The backend was listed whole: only now an absence means something, and desired work is begun. */
  markListed(): void;
  isListed(): boolean;
  /** Raises the news of changes in passing that have waited long enough; else answers how long they still may, ms. */
  raiseQuietNews(): number | null;
}

interface Ports {
  journal: Journal;
  clock: Clock;
  hostClock: HostClock;
  changed: () => void;
  news: Wake;
}

/** Fields that the journal holds: a change of another is not worth a write. */
const journaled = new Set<keyof WorkloadChange>(['launched', 'startedAtMs', 'stopping', 'end', 'endedAtMs']);
/** Changes in passing: a start that is quick is told once, as `running`. */
const quiet = new Set<Workload['phase']>(['pulling', 'starting']);
const quietMs = 250;
const defaultSettings: Desired['settings'] = { syncHoldMs: 20_000, orphanGraceMs: 600_000 };

export function createWorkloads(ports: Ports): Workloads {
  const { journal, clock, hostClock, changed, news } = ports;
  const known = new Map<string, Workload>();
  for (const entry of journal.all()) known.set(keyOf(entry.ref), fromJournal(entry));
  let settings = defaultSettings;
  let listed = false;
  let waiting: { desired: Desired; epoch: number } | null = null;
  let quietSinceMs: number | null = null;

  const tell = (workload: Workload): void => {
    workload.version += 1;
    if (!quiet.has(workload.phase)) news.raise();
    else quietSinceMs ??= clock.monotonic();
    changed();
  };
  const add = (workload: Workload): Workload => {
    known.set(keyOf(workload.ref), workload);
    journal.put(toJournal(workload));
    return workload;
  };
  const update = (workload: Workload, change: WorkloadChange): void => {
    Object.assign(workload, change);
    if (Object.keys(change).some((field) => journaled.has(field as keyof WorkloadChange))) journal.put(toJournal(workload));
    tell(workload);
  };
  const orphan = (workload: Workload): void => {
    workload.assignment = null;
    workload.orphanSinceMs ??= clock.monotonic();
  };

  const apply = ({ desired, epoch }: { desired: Desired; epoch: number }): void => {
    const wanted = new Set<string>();
    for (const assignment of desired.tasks) {
      wanted.add(keyOf(assignment));
      applyAssignment(assignment, epoch);
    }
    for (const [key, workload] of known) {
      // In another epoch the Host may have forgotten it: it is kept until somebody decides.
      const forgotten = !wanted.has(key) && workload.phase !== 'ended' && [0, epoch].includes(workload.epoch);
      if (forgotten) orphan(workload);
    }
  };
  const applyAssignment = (assignment: Assignment, epoch: number): void => {
    const ref = { task: assignment.task, attempt: assignment.attempt };
    const present = known.get(keyOf(ref));
    const workload = present ?? newWorkload(ref, epoch);
    const differs = JSON.stringify(workload.assignment) !== JSON.stringify(assignment);
    workload.assignment = assignment;
    workload.orphanSinceMs = null;
    if (assignment.stop?.kill && workload.stopping) workload.stopping.order = assignment.stop;
    if (!present || differs) add(workload);
    if (present || !assignment.seen) return;
    // The Host has seen it here, and neither a container nor the journal knows of it any more.
    update(workload, { phase: 'ended', end: judgeEnd('absent', assignment.stop), endedAtMs: hostClock.now() });
  };

  return {
    get settings() {
      return settings;
    },
    all: () => known.values(),
    get: (ref) => known.get(keyOf(ref)),
    adopt(ref) {
      const workload = add(newWorkload(ref, 0));
      workload.launched = true;
      return workload;
    },
    update,
    forget(workload) {
      known.delete(keyOf(workload.ref));
      journal.remove(workload.ref);
    },
    applyDesired(desired, epoch) {
      settings = desired.settings;
      if (listed) apply({ desired, epoch });
      else waiting = { desired, epoch };
      changed();
    },
    applyAck(ack) {
      const workload = known.get(keyOf(ack));
      if (!workload) return;
      workload.ackedVersion = Math.max(workload.ackedVersion, workload.sentVersion);
      if (ack.state === 'ended' && workload.phase === 'ended') workload.released = true;
      else if (ack.verdict === 'superseded' && workload.stopping === null) {
        const order = { cause: 'killed_by', message: 'a newer attempt has taken its place', kill: false } as const;
        update(workload, { stopping: { order, signalledMs: null, killedMs: null } });
      } else if (ack.verdict === 'unknown') orphan(workload);
      changed();
    },
    report({ full }) {
      const all = [...known.values()];
      const due = all.filter((one) => full || one.version > one.ackedVersion);
      const nowMs = hostClock.now();
      for (const workload of due) workload.sentVersion = workload.version;
      const changes = due.flatMap((workload) => observe(workload, nowMs) ?? []);
      const observed = all.flatMap((workload) => observe(workload, nowMs) ?? []);
      return { changes, digestText: observedText(observed) };
    },
    hasUnsent: () => [...known.values()].some((one) => one.phase !== 'waiting' && one.version > Math.max(one.sentVersion, one.ackedVersion)),
    markListed() {
      listed = true;
      if (waiting !== null) apply(waiting);
      waiting = null;
      changed();
    },
    isListed: () => listed,
    raiseQuietNews() {
      if (quietSinceMs === null) return null;
      const leftMs = quietSinceMs + quietMs - clock.monotonic();
      if (leftMs > 0) return leftMs;
      quietSinceMs = null;
      news.raise();
      return null;
    },
  };
}
