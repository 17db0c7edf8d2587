import { abortable } from '../../lib/abort.ts';
import { isEnded } from '../../protocol/task-state.ts';
import type { TaskSummary } from '../../protocol/task-view.ts';
import { type AttemptLog, followAttempt, type LogChoice } from './follow-attempt.ts';

/** What of a task says which of its attempts have output, and whether more can come. */
export type Progress = Pick<TaskSummary, 'state' | 'attempt' | 'startedAt'>;

interface AttemptLogsOptions extends Pick<
  AttemptLog,
  'api' | 'clock' | 'random' | 'task' | 'onPause' | 'onRecord' | 'onTrouble'
> {
  /** `null`: no output is read. */
  logs: LogChoice | null;
  onFailure(error: unknown): void;
  /** Called around each attempt, when there are to be no more than so many at a time. */
  within?(read: () => Promise<void>): Promise<void>;
}

/** The logs of a task's attempts, one behind the other. */
export interface AttemptLogs {
  see(progress: Progress): void;
  /** Resolves when the output of all attempts seen was handed on. */
  finished(): Promise<void>;
}

export function createAttemptLogs(options: AttemptLogsOptions, signal: AbortSignal): AttemptLogs {
  const { logs, onFailure, within = (read) => read() } = options;
  let latest: Progress | null = null;
  let followed = 0;
  let queue = Promise.resolve();
  const follow = (attempt: number, choice: LogChoice): Promise<void> =>
    followAttempt(
      {
        ...options,
        ...choice,
        attempt,
        isOver: () => latest !== null && (latest.attempt > attempt || isEnded(latest.state)),
      },
      signal,
    );
  return {
    see(progress) {
      latest = progress;
      if (logs === null || progress.startedAt === null || progress.attempt <= followed) return;
      const first = followed === 0 ? progress.attempt : followed + 1;
      for (let attempt = first; attempt <= progress.attempt; attempt += 1) {
        // `since` and `tail` speak of the attempt that was there when the following began.
        const choice = followed === 0 ? logs : { stream: logs.stream };
        followed = attempt;
        queue = queue
          .then(() => within(() => follow(attempt, choice)))
          .catch((error: unknown) => {
            if (!signal.aborted) onFailure(error);
          });
      }
    },
    finished: () => abortable(queue, signal),
  };
}
