import { memberId, taskId, type BatchId, type TaskId } from '../../protocol/ids.ts';
import { reason } from '../../protocol/reason.ts';
import { parseArrayRange } from '../../protocol/task-array.ts';
import { priorityClasses, type StoredTaskSpec } from '../../protocol/task-spec.ts';
import type { TaskRow } from './view.ts';

interface Making {
  spec: StoredTaskSpec;
  /** Counter of the task. */
  number: number;
  owner: string;
  batch: BatchId | null;
  nowMs: number;
}

/** The rows of one spec: the task, or an array and all of its members behind it. */
export function newRows(making: Making): TaskRow[] {
  const { spec } = making;
  if (spec.array === undefined) return [newRow(making, taskId.fromCounter(making.number))];
  const range = parseArrayRange(spec.array);
  if (typeof range === 'string') throw new Error(`a stored array range is not one: ${range}`);
  const { array: _array, ...shared } = spec;
  const array = newRow(making, taskId.fromCounter(making.number));
  const members = range.indexes.map((index) => {
    const id = memberId(array.id, index);
    return newRow({ ...making, spec: { ...shared, name: `${array.name}.${index}` } }, id);
  });
  return [{ ...array, members: { [array.state]: members.length }, together: range.together, reason: null }, ...members];
}

function newRow({ spec, owner, batch, nowMs }: Making, id: TaskId): TaskRow {
  const eligibleMs = spec.notBefore === undefined ? null : Date.parse(spec.notBefore);
  return {
    id,
    name: spec.name ?? id,
    owner: spec.owner ?? owner,
    state: spec.hold === true ? 'held' : 'queued',
    stuck: false,
    priority: priorityClasses[spec.priority],
    spec,
    node: null,
    nodeName: null,
    batch,
    members: null,
    together: null,
    eligibleMs,
    failures: 0,
    attempt: 0,
    gpus: [],
    rev: 1,
    reason: firstReason(spec, eligibleMs, nowMs),
    end: null,
    createdMs: nowMs,
    startedMs: null,
    endedMs: null,
  };
}

function firstReason(spec: StoredTaskSpec, eligibleMs: number | null, nowMs: number): TaskRow['reason'] {
  if (spec.hold === true) return reason('held', 'it was submitted on hold');
  if (eligibleMs !== null && eligibleMs > nowMs)
    return reason('start_time', `it starts no earlier than ${spec.notBefore ?? ''}`);
  return reason('submitted', 'it has just been submitted');
}
