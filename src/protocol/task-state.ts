import * as v from 'valibot';

export const taskStates = [
  'held',
  'queued',
  'assigned',
  'pulling',
  'starting',
  'running',
  'paused',
  'stopping',
  'succeeded',
  'failed',
  'killed',
  'lost',
  'rejected',
] as const;

export const taskStateSchema = v.picklist(taskStates);
export type TaskState = (typeof taskStates)[number];

const ends = ['succeeded', 'failed', 'killed', 'lost'] as const;

/**
 * Every arrow between states. A report may skip states (a task that ended within one sync goes from `assigned`
 * to its end), so the arrows of the states on a node reach all later ones. `queued` behind `assigned` is a
 * requeue: the attempt ended, the task waits for the next. Out of an end leads only a person's `retry`.
 */
export const taskTransitions = {
  held: ['queued', 'rejected', 'killed'],
  queued: ['assigned', 'held', 'killed', 'rejected', 'failed'],
  assigned: ['pulling', 'starting', 'running', 'paused', 'stopping', 'queued', ...ends],
  pulling: ['starting', 'running', 'paused', 'stopping', 'queued', ...ends],
  starting: ['running', 'paused', 'stopping', 'queued', ...ends],
  running: ['paused', 'stopping', 'queued', ...ends],
  paused: ['running', 'stopping', 'queued', ...ends],
  stopping: ['queued', ...ends],
  succeeded: [],
  failed: ['queued'],
  killed: ['queued'],
  lost: ['queued'],
  rejected: ['queued'],
} as const satisfies Record<TaskState, readonly TaskState[]>;

/** Whether the table has the arrow. */
export function canMove(from: TaskState, to: TaskState): boolean {
  return (taskTransitions[from] as readonly TaskState[]).includes(to);
}

/** States in which an attempt holds room on a node: all of them are counted, paused and pulling ones too. */
export const placedStates = ['assigned', 'pulling', 'starting', 'running', 'paused', 'stopping'] as const;
export type PlacedState = (typeof placedStates)[number];

export const endedStates = ['succeeded', 'failed', 'killed', 'lost', 'rejected'] as const;
export type EndedState = (typeof endedStates)[number];

export function isEnded(state: TaskState): state is EndedState {
  return (endedStates as readonly TaskState[]).includes(state);
}

export function isPlaced(state: TaskState): state is PlacedState {
  return (placedStates as readonly TaskState[]).includes(state);
}

/** What a person may do with a task, by its state. Used by Host, CLI and dashboard. */
export const taskVerbs = {
  kill: ['held', 'queued', ...placedStates],
  pause: ['running'],
  resume: ['paused'],
  retry: ['failed', 'killed', 'lost', 'rejected'],
  hold: ['queued'],
  release: ['held'],
  /** Changes of what was asked for. */
  extend: ['held', 'queued', 'assigned', 'pulling', 'starting', 'running', 'paused'],
  prioritise: ['held', 'queued'],
} as const satisfies Record<string, readonly TaskState[]>;

export type TaskVerb = keyof typeof taskVerbs;
