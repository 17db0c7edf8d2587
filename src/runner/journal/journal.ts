import type { Assignment } from '../../protocol/sync.ts';
import type { End } from '../../protocol/task-end.ts';
import type { StopOrder } from '../../protocol/sync.ts';
import type { WorkloadRef } from '../backend/backend.ts';

/**
 * What a Runner must still know of an attempt after kill -9: what was asked of it, when it started, how it ended and
 * that nobody has taken note yet. The containers' labels say the rest.
 */
export interface JournalEntry {
  ref: WorkloadRef;
  /** Cluster epoch under which it was assigned. */
  epoch: number;
  /** `null` for a container that was adopted from its labels. */
  assignment: Assignment | null;
  /** A start was ordered of the backend: from here on a missing container was removed. */
  launched: boolean;
  /** Host time, ms. */
  startedAtMs: number | null;
  /** Why it is being stopped, once that began. */
  stop: StopOrder | null;
  end: End | null;
  /** Host time, ms. */
  endedAtMs: number | null;
}

/** Survives kill -9 of the process. Calls return when the change is in the file. */
export interface Journal extends Disposable {
  all(): JournalEntry[];
  put(entry: JournalEntry): void;
  remove(ref: WorkloadRef): void;
  /** Host time (ms) at which the Host was last noted to have answered; `null` when never. */
  heardAtMs(): number | null;
  setHeardAt(hostTimeMs: number): void;
}
