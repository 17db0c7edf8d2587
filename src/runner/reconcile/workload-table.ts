import type { Clock } from '../../lib/clock.ts';
import type { Wake } from '../../lib/wake.ts';
import type { Desired } from '../../protocol/sync.ts';
import type { Journal } from '../journal/journal.ts';
import type { HostClock } from '../time/host-clock.ts';
import { fromJournal, keyOf, observe, toJournal, type Workload } from './workload.ts';

/** What may change of a workload by `update`. */
export type WorkloadChange = Partial<
  Pick<
    Workload,
    'phase' | 'progress' | 'launched' | 'startedAtMs' | 'stopping' | 'stuck' | 'end' | 'endedAtMs' | 'backendEnd'
  >
>;

export interface TablePorts {
  journal: Journal;
  clock: Clock;
  hostClock: HostClock;
  /** Something changed that may ask for a step. */
  changed: () => void;
  /** Something changed that the Host should hear at once. */
  news: Wake;
}

/** The attempts that are known, and what hangs on knowing all of them. */
export interface WorkloadTable extends TablePorts {
  known: Map<string, Workload>;
  settings: Desired['settings'];
  listed: boolean;
  /** A desired set that came before the backend was listed. */
  waiting: { desired: Desired; epoch: number } | null;
  /** Since when changes in passing wait to be told, by the monotonic clock. */
  quietSinceMs: number | null;
  /** When the Host last answered this process, by the monotonic clock. */
  heardMs: number | null;
}

/** Fields that the journal holds: a change of another is not worth a write. */
const journaled = new Set<keyof WorkloadChange>(['launched', 'startedAtMs', 'stopping', 'end', 'endedAtMs']);
/** Changes in passing: a start that is quick is told once, as `running`. */
const inPassing = new Set<Workload['phase']>(['pulling', 'starting']);
const quietMs = 250;

export function createTable(ports: TablePorts): WorkloadTable {
  const entries = ports.journal.all().map(fromJournal);
  return {
    ...ports,
    known: new Map(entries.map((workload) => [keyOf(workload.ref), workload])),
    settings: { syncHoldMs: 20_000, orphanGraceMs: 600_000 },
    listed: false,
    waiting: null,
    quietSinceMs: null,
    heardMs: null,
  };
}

/** Since the Host last answered, ms. What was silence for a forerunner goes on counting, in Host time as far as it is known. */
export function unheardMs({ heardMs, clock, hostClock, journal }: WorkloadTable): number {
  if (heardMs !== null) return clock.monotonic() - heardMs;
  const heardAtMs = journal.heardAtMs();
  return heardAtMs === null ? 0 : Math.max(0, hostClock.now() - heardAtMs);
}

/** The Host is noted as heard so often in the journal: a lease is over by so much earlier after a restart. */
const noteHeardEveryMs = 30_000;

/** The Host answered. */
export function markHeard(table: WorkloadTable): void {
  table.heardMs = table.clock.monotonic();
  const notedMs = table.journal.heardAtMs() ?? 0;
  if (table.hostClock.now() - notedMs >= noteHeardEveryMs) table.journal.setHeardAt(table.hostClock.now());
}

export function addWorkload(table: WorkloadTable, workload: Workload): Workload {
  table.known.set(keyOf(workload.ref), workload);
  table.journal.put(toJournal(workload));
  return workload;
}

/** Changes one; what must survive is in the journal when this returns. */
export function updateWorkload(table: WorkloadTable, workload: Workload, change: WorkloadChange): void {
  const before = observedNow(workload);
  Object.assign(workload, change);
  const lasts = Object.keys(change).some((field) => journaled.has(field as keyof WorkloadChange));
  if (lasts) table.journal.put(toJournal(workload));
  if (observedNow(workload) !== before) tell(table, workload);
  table.changed();
}

function tell(table: WorkloadTable, workload: Workload): void {
  workload.version += 1;
  if (inPassing.has(workload.phase)) table.quietSinceMs ??= table.clock.monotonic();
  else table.news.raise();
}

/** What the Host would be told, as text; the time of telling it is left out. */
function observedNow(workload: Workload): string {
  return JSON.stringify(observe(workload, 0));
}

export function forgetWorkload(table: WorkloadTable, workload: Workload): void {
  table.known.delete(keyOf(workload.ref));
  table.journal.remove(workload.ref);
}

/** Nobody desires it: it is kept for the grace, then stopped. */
export function markOrphan({ clock }: WorkloadTable, workload: Workload): void {
  workload.assignment = null;
  workload.orphanSinceMs ??= clock.monotonic();
}

/** Tells the changes in passing when they have waited long enough; else answers how long they still may, ms. */
export function raiseQuietNews(table: WorkloadTable): number | null {
  if (table.quietSinceMs === null) return null;
  const leftMs = table.quietSinceMs + quietMs - table.clock.monotonic();
  if (leftMs > 0) return leftMs;
  table.quietSinceMs = null;
  table.news.raise();
  return null;
}
