import * as v from 'valibot';
import { lenient, wholeNumber } from './schema.ts';
import type { EndedState } from './task-state.ts';

/** Why a task ended. Closed. */
export const endCauses = [
  'exit',
  'signal',
  'oom',
  'timeout',
  'image_not_found',
  'image_pull_failed',
  'start_failed',
  'node_lost',
  'killed_by',
  'engine_restart',
  'container_removed',
  'preempted',
  'dependency_failed',
  'approval_refused',
] as const;

export type EndCause = (typeof endCauses)[number];

/** What the kernel and the engine said of memory; `null` where they said nothing. */
export const endEvidenceSchema = lenient({
  /** The engine's `oom` event was seen. */
  oomEvent: v.boolean(),
  /** The engine's record says that a process of it was killed for memory. */
  oomKilled: v.boolean(),
  peakBytes: v.nullable(wholeNumber),
  limitBytes: v.nullable(wholeNumber),
});

export const endSchema = lenient({
  cause: v.picklist(endCauses),
  exitCode: v.nullable(v.pipe(v.number(), v.safeInteger())),
  signal: v.nullable(v.string()),
  message: v.pipe(v.string(), v.maxLength(4096)),
  evidence: v.nullable(endEvidenceSchema),
  usage: lenient({ memoryPeakBytes: v.nullable(wholeNumber), cpuTimeMs: v.nullable(wholeNumber) }),
});

export type End = v.InferOutput<typeof endSchema>;
export type EndEvidence = v.InferOutput<typeof endEvidenceSchema>;

const stateOfCause = {
  signal: 'failed',
  oom: 'failed',
  timeout: 'failed',
  image_not_found: 'failed',
  image_pull_failed: 'failed',
  start_failed: 'failed',
  engine_restart: 'failed',
  container_removed: 'failed',
  preempted: 'failed',
  node_lost: 'lost',
  killed_by: 'killed',
  dependency_failed: 'rejected',
  approval_refused: 'rejected',
} as const satisfies Record<Exclude<EndCause, 'exit'>, EndedState>;

/** The state that an end leads to, by its cause and, for `exit`, its code. */
export function endedState(end: Pick<End, 'cause' | 'exitCode'>): EndedState {
  if (end.cause === 'exit') return end.exitCode === 0 ? 'succeeded' : 'failed';
  return stateOfCause[end.cause];
}

/** An end without a process: nothing ran, or nothing is known of it. */
export function bareEnd(cause: EndCause, message: string): End {
  return {
    cause,
    exitCode: null,
    signal: null,
    message,
    evidence: null,
    usage: { memoryPeakBytes: null, cpuTimeMs: null },
  };
}
