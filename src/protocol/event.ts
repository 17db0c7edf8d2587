import * as v from 'valibot';
import { lenient, timestamp, wholeNumber } from './schema.ts';
import { taskStates } from './task-state.ts';

const taskEvents = taskStates.map((state) => `task.${state}` as const);

/** Every type of event. Closed. `task.updated` changes no state (a reason, progress). */
export const eventTypes = [
  ...taskEvents,
  'task.updated',
  'task.removed',
  'node.joined',
  'node.ready',
  'node.suspect',
  'node.unreachable',
  'node.lost',
  'node.updated',
  'node.removed',
] as const;

export type EventType = (typeof eventTypes)[number];

/**
 * One change of one thing. `data` is what changes of its view, as it is after the event, so that a client merges it
 * into what it holds when `rev` is higher; `null` when the thing was removed.
 */
export const eventSchema = lenient({
  seq: wholeNumber,
  at: timestamp,
  type: v.picklist(eventTypes),
  subject: lenient({ kind: v.picklist(['task', 'node']), id: v.string() }),
  rev: wholeNumber,
  attempt: v.optional(wholeNumber),
  actor: v.optional(v.string()),
  data: v.nullable(v.record(v.string(), v.unknown())),
});
export type WeirEvent = v.InferOutput<typeof eventSchema>;
