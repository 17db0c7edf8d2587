import type { Ack, Assignment, Desired } from '../../protocol/sync.ts';
import { judgeEnd } from './judge-end.ts';
import { beginStopping, keyOf, newWorkload, type Workload } from './workload.ts';
import { addWorkload, markOrphan, updateWorkload, type WorkloadTable } from './workload-table.ts';

/** Takes over the whole desired set of this node, at once or as soon as the backend was listed. */
export function applyDesired(table: WorkloadTable, desired: Desired, epoch: number): void {
  table.settings = desired.settings;
  if (table.listed) apply(table, desired, epoch);
  else table.waiting = { desired, epoch };
  table.changed();
}

/** The backend was listed whole: only now an absence means something, and desired work is begun. */
export function markListed(table: WorkloadTable): void {
  table.listed = true;
  if (table.waiting !== null) apply(table, table.waiting.desired, table.waiting.epoch);
  table.waiting = null;
  table.changed();
}

function apply(table: WorkloadTable, desired: Desired, epoch: number): void {
  const wanted = new Set<string>();
  for (const assignment of desired.tasks) {
    wanted.add(keyOf(assignment));
    applyAssignment(table, assignment, epoch);
  }
  for (const [key, workload] of table.known) {
    // In another epoch the Host may have forgotten it: it is kept until somebody decides.
    if (!wanted.has(key) && workload.phase !== 'ended' && isOfEpoch(workload, epoch)) markOrphan(table, workload);
  }
}

function applyAssignment(table: WorkloadTable, assignment: Assignment, epoch: number): void {
  const { task, attempt, stop } = assignment;
  const present = table.known.get(keyOf(assignment));
  const workload = present ?? newWorkload({ task, attempt }, epoch);
  const differs = JSON.stringify(workload.assignment) !== JSON.stringify(assignment);
  workload.assignment = assignment;
  workload.orphanSinceMs = null;
  workload.disowned = false;
  if (stop?.kill && workload.stopping) workload.stopping.order = stop;
  if (!present || differs) addWorkload(table, workload);
  if (present || !assignment.seen) return;
  // The Host has seen it here, and neither a container nor the journal knows of it any more.
  updateWorkload(table, workload, { phase: 'ended', end: judgeEnd('absent', stop), endedAtMs: table.hostClock.now() });
}

/** 0: adopted from its labels, which name none. */
function isOfEpoch(workload: Workload, epoch: number): boolean {
  return workload.epoch === 0 || workload.epoch === epoch;
}

/** What the Host made of a report. */
export function applyAck(table: WorkloadTable, ack: Ack, epoch: number): void {
  const workload = table.known.get(keyOf(ack));
  if (!workload) return;
  workload.ackedVersion = Math.max(workload.ackedVersion, workload.sentVersion);
  workload.disowned = ack.verdict !== 'kept';
  if (ack.state === 'ended' && workload.phase === 'ended') workload.released = true;
  else if (ack.verdict === 'superseded' && workload.stopping === null) {
    const order = { cause: 'killed_by', message: 'a newer attempt has taken its place', kill: false } as const;
    updateWorkload(table, workload, { stopping: beginStopping(order) });
  } else if (ack.verdict === 'unknown' && isOfEpoch(workload, epoch)) markOrphan(table, workload);
  table.changed();
}
