import { constants } from 'node:os';
import type { EndCause } from '../../protocol/task-end.ts';
import type { TaskView } from '../../protocol/task-view.ts';
import { exitCodes } from '../exit-codes.ts';

/** Ends before the task's own process could run. */
const beforeStart: readonly EndCause[] = [
  'image_not_found',
  'image_pull_failed',
  'start_failed',
  'dependency_failed',
  'approval_refused',
];

function signalNumber(name: string): number | null {
  const number = Object.entries(constants.signals).find(([key]) => key === name)?.[1];
  return number ?? null;
}

/**
 * The exit code that stands for a task's end: its own, 128 + n by a signal, 125 when it never started. Never 0 unless
 * it succeeded: a process that leaves with 0 when it is stopped for its time limit has not done its work.
 */
export function taskExitCode({
  state,
  end,
  startedAt,
}: Pick<TaskView, 'state' | 'end' | 'startedAt'>): number {
  if (state === 'succeeded') return exitCodes.ok;
  if (!end || beforeStart.includes(end.cause) || startedAt === null) return exitCodes.neverStarted;
  if (end.exitCode !== null && end.exitCode !== 0) return end.exitCode;
  const number = end.signal === null ? null : signalNumber(end.signal);
  return number === null ? exitCodes.failure : 128 + number;
}
