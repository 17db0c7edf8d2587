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

/** Of Linux, where tasks run: the machine that asks may number them otherwise. signal(7), x86 and ARM. */
const signalNames =
  'HUP INT QUIT ILL TRAP ABRT BUS FPE KILL USR1 SEGV USR2 PIPE ALRM TERM STKFLT CHLD CONT STOP TSTP TTIN TTOU URG XCPU XFSZ VTALRM PROF WINCH IO PWR SYS'.split(
    ' ',
  );

function signalNumber(name: string): number | null {
  const at = signalNames.indexOf(name.replace(/^SIG/, ''));
  return at === -1 ? null : at + 1;
}

/**
 * The exit code that stands for a task's end: its own, 128 + n by a signal, 125 when it never started. Never 0 unless
 * it succeeded: a process that leaves with 0 when it is stopped for its time limit has not done its work.
 */
export function taskExitCode({ state, end, startedAt }: Pick<TaskView, 'state' | 'end' | 'startedAt'>): number {
  if (state === 'succeeded') return exitCodes.ok;
  if (!end || beforeStart.includes(end.cause) || startedAt === null) return exitCodes.neverStarted;
  if (end.exitCode !== null && end.exitCode !== 0) return end.exitCode;
  const number = end.signal === null ? null : signalNumber(end.signal);
  return number === null ? exitCodes.failure : 128 + number;
}
