import type { Ack, Desired } from '../../protocol/sync.ts';
import type { WorkloadRef } from '../backend/backend.ts';
import { applyAck, applyDesired, markListed } from './apply-desired.ts';
import { buildReport, hasUnsent, type Report } from './report.ts';
import { keyOf, newWorkload, type Workload } from './workload.ts';
import {
  addWorkload,
  createTable,
  forgetWorkload,
  markHeard,
  unheardMs,
  raiseQuietNews,
  updateWorkload,
  type TablePorts,
  type WorkloadChange,
} from './workload-table.ts';

/** All attempts that this Runner knows of, the journal kept in step. */
export interface Workloads {
  readonly settings: Desired['settings'];
  all(): Iterable<Workload>;
  get(ref: WorkloadRef): Workload | undefined;
  /** Takes in one that the backend holds and nobody knew of. */
  adopt(ref: WorkloadRef): Workload;
  update(workload: Workload, change: WorkloadChange): void;
  forget(workload: Workload): void;
  applyDesired(desired: Desired, epoch: number): void;
  applyAck(ack: Ack, epoch: number): void;
  report(options: { full: boolean }): Report;
  hasUnsent(): boolean;
  markListed(): void;
  isListed(): boolean;
  raiseQuietNews(): number | null;
  /** The Host answered now. */
  markHeard(): void;
  /** Since it last did, ms. */
  unheardMs(): number;
}

export function createWorkloads(ports: TablePorts): Workloads {
  const table = createTable(ports);
  return {
    get settings() {
      return table.settings;
    },
    all: () => table.known.values(),
    get: (ref) => table.known.get(keyOf(ref)),
    adopt: (ref) => addWorkload(table, { ...newWorkload(ref, 0), launched: true }),
    update: (workload, change) => updateWorkload(table, workload, change),
    forget: (workload) => forgetWorkload(table, workload),
    applyDesired: (desired, epoch) => applyDesired(table, desired, epoch),
    applyAck: (ack, epoch) => applyAck(table, ack, epoch),
    report: (options) => buildReport(table, options),
    hasUnsent: () => hasUnsent(table),
    markListed: () => markListed(table),
    isListed: () => table.listed,
    raiseQuietNews: () => raiseQuietNews(table),
    markHeard: () => markHeard(table),
    unheardMs: () => unheardMs(table),
  };
}
