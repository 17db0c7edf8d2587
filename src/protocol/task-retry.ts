import * as v from 'valibot';
import { duration, strict, wholeNumber } from './schema.ts';
import type { End } from './task-end.ts';

/** Kinds of failure that a task may be tried again after. `exit` is a code other than 0. */
export const failureClasses = [
  'exit',
  'signal',
  'oom',
  'timeout',
  'image_pull_failed',
  'start_failed',
  'engine_restart',
  'container_removed',
] as const;
export type FailureClass = (typeof failureClasses)[number];

export const taskRetry = strict({
  /** How often it is tried again, at most. */
  limit: v.optional(v.pipe(wholeNumber, v.maxValue(100)), 3),
  on: v.optional(
    v.pipe(
      v.array(v.picklist(failureClasses, `must be of ${failureClasses.join(', ')}`)),
      v.minLength(1, 'at least one kind of failure'),
    ),
    ['image_pull_failed', 'start_failed', 'engine_restart'],
  ),
  /** Before the first retry; doubles with each, up to an hour. */
  backoff: v.optional(v.pipe(duration, v.maxValue(3_600_000, 'at most one hour')), 10_000),
});

export type TaskRetry = v.InferOutput<typeof taskRetry>;

const longestBackoffMs = 3_600_000;

/** When an attempt that ended so is followed by another: ms of wait, or `null` when it is not. `failures` counts it too. */
export function retryAfterMs(
  retry: TaskRetry | null | undefined,
  end: Pick<End, 'cause' | 'exitCode'>,
  failures: number,
): number | null {
  if (!retry || failures > retry.limit) return null;
  if (end.cause === 'exit' && end.exitCode === 0) return null;
  if (!(retry.on as readonly string[]).includes(end.cause)) return null;
  return Math.min(retry.backoff * 2 ** (failures - 1), longestBackoffMs);
}
