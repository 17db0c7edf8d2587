import { observedText, type Observation } from '../../protocol/sync.ts';
import { observe, type Workload } from './workload.ts';
import type { WorkloadTable } from './workload-table.ts';

export interface Report {
  changes: Observation[];
  /** Of everything observed that the Host counts as this node's, for the digest. */
  digestText: string;
}

/** What the Host has not acknowledged, or all of it; marks it as sent. */
export function buildReport(table: WorkloadTable, { full }: { full: boolean }): Report {
  const all = [...table.known.values()];
  const nowMs = table.hostClock.now();
  const due = all.filter((workload) => full || workload.version > workload.ackedVersion);
  for (const workload of due) workload.sentVersion = workload.version;
  return {
    changes: due.flatMap((workload) => observe(workload, nowMs) ?? []),
    digestText: observedText(all.flatMap((workload) => (workload.disowned ? [] : (observe(workload, nowMs) ?? [])))),
  };
}

/** Whether there is something that no call has carried yet. */
export function hasUnsent({ known }: WorkloadTable): boolean {
  return [...known.values()].some(isUnsent);
}

function isUnsent({ phase, version, sentVersion, ackedVersion }: Workload): boolean {
  return phase !== 'waiting' && version > Math.max(sentVersion, ackedVersion);
}
