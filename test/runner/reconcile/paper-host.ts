import type { TaskId } from '../../../src/protocol/ids.ts';
import { observedText, type Ack, type Assignment, type Desired, type Observation } from '../../../src/protocol/sync.ts';
import type { End } from '../../../src/protocol/task-end.ts';
import type { Workloads } from '../../../src/runner/reconcile/workloads.ts';

interface Row {
  assignment: Assignment;
  observed: Observation['state'] | null;
  stuck: boolean;
  end: End | null;
  /** Ended by the Host's own word: what the Runner says of it comes too late. */
  closed: boolean;
}

/** The Host's side of the wire as far as a Runner's core can tell: rows, verdicts, generations; no network. */
export interface PaperHost {
  epoch: number;
  assign(assignment: Assignment): void;
  stop(task: TaskId, stop: NonNullable<Assignment['stop']>): void;
  pause(task: TaskId, paused: boolean): void;
  /** Ends an attempt without asking the node, as a person does who gives a node up. */
  close(task: TaskId): void;
  /** Forgets an attempt, as a restored backup does. */
  forget(task: TaskId): void;
  row(task: TaskId): Row;
  /** What the Runner said of an attempt, in order. */
  told(task: TaskId): string[];
  takeReport(changes: readonly Observation[]): Ack[];
  desired(): Desired;
  /** Text of what it holds to be observed and not ended. */
  text(): string;
  /** One whole turn of the wire: whether the digests agreed after it. */
  exchange(workloads: Workloads, options?: { full: boolean }): boolean;
}

export function createPaperHost(settings: Partial<Desired['settings']> = {}): PaperHost {
  const rows = new Map<TaskId, Row>();
  const said = new Map<TaskId, string[]>();
  const host: PaperHost = {
    epoch: 1,
    assign: (assignment) =>
      void rows.set(assignment.task, { assignment, observed: null, stuck: false, end: null, closed: false }),
    stop(task, stop) {
      const row = host.row(task);
      row.assignment = { ...row.assignment, stop, generation: row.assignment.generation + 1 };
    },
    pause(task, paused) {
      const row = host.row(task);
      row.assignment = { ...row.assignment, paused, generation: row.assignment.generation + 1 };
    },
    close(task) {
      host.row(task).closed = true;
    },
    forget: (task) => void rows.delete(task),
    row(task) {
      const row = rows.get(task);
      if (row === undefined) throw new Error(`there is no row of ${task}`);
      return row;
    },
    told: (task) => said.get(task) ?? [],
    takeReport: (changes) => changes.map((seen) => takeOne(rows, said, seen)),
    desired: () => ({
      tasks: live(rows).map(({ assignment, observed }) => ({ ...assignment, seen: observed !== null })),
      settings: { syncHoldMs: 20_000, orphanGraceMs: 600_000, ...settings },
    }),
    text: () =>
      observedText(
        live(rows).flatMap(({ assignment: { task, attempt }, observed, stuck }) =>
          observed === null ? [] : [{ task, attempt, state: observed, stuck }],
        ),
      ),
    exchange(workloads, options = { full: false }) {
      const { changes, digestText } = workloads.report(options);
      const acks = host.takeReport(changes);
      const agreed = digestText === host.text();
      for (const ack of acks) workloads.applyAck(ack, host.epoch);
      workloads.applyDesired(host.desired(), host.epoch);
      return agreed;
    },
  };
  return host;
}

function live(rows: ReadonlyMap<TaskId, Row>): Row[] {
  return [...rows.values()].filter(({ end, closed }) => end === null && !closed);
}

function takeOne(rows: Map<TaskId, Row>, said: Map<TaskId, string[]>, seen: Observation): Ack {
  const ack = { task: seen.task, attempt: seen.attempt, state: seen.state };
  said.set(seen.task, [...(said.get(seen.task) ?? []), seen.state]);
  const row = rows.get(seen.task);
  if (row === undefined) return { ...ack, verdict: 'unknown' };
  if (row.assignment.attempt !== seen.attempt) {
    return { ...ack, verdict: row.assignment.attempt > seen.attempt ? 'superseded' : 'unknown' };
  }
  if (row.end !== null || row.closed) return { ...ack, verdict: seen.state === 'ended' ? 'kept' : 'superseded' };
  row.observed = seen.state;
  row.stuck = seen.stuck;
  if (seen.state === 'ended') row.end = seen.end;
  return { ...ack, verdict: 'kept' };
}
