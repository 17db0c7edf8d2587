import { createBackoff } from '../../lib/backoff.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Random } from '../../lib/crypto.ts';
import { createWake, type Wake } from '../../lib/wake.ts';
import { isEnded } from '../../protocol/task-state.ts';
import { type TaskView, taskViewSchema } from '../../protocol/task-view.ts';
import { type Api, path, patiently } from '../client/api.ts';
import type { LogRecord } from '../client/log-records.ts';
import { read } from '../client/read.ts';
import type { CliError } from '../cli-error.ts';
import { createAttemptLogs } from './attempt-logs.ts';
import type { LogChoice } from './follow-attempt.ts';
import { listen } from './listen.ts';

export interface Following {
  api: Api;
  clock: Clock;
  random: Random;
  task: string;
  /** `null`: the end is waited for without its output. */
  logs: LogChoice | null;
  onView(view: TaskView): void;
  onRecord(record: Pick<LogRecord, 'stream' | 'bytes'>): Promise<void>;
  /** The Host or the node is away; `null` when it is back. */
  onTrouble(error: CliError | null): void;
  /** The output of an attempt cannot be had, or not all of it; the task is followed on. */
  onLogFailure(error: unknown): void;
}

/** How often the task is looked at: with events only in case one was missed, without them as the only way. */
const restMs = { listening: 10_000, polling: 500 } as const;

/**
 * Follows a task through its attempts to its end: tells each new view, and the output of each attempt that started.
 * A Host that goes away is waited for. Resolves with the last view when all output was handed on.
 * @throws CliError when the Host refuses.
 */
export async function followTask(options: Following, signal: AbortSignal): Promise<TaskView> {
  const over = new AbortController();
  const ends = AbortSignal.any([signal, over.signal]);
  const wake = createWake();
  const pace = startListening(options, wake, ends);
  const output = createAttemptLogs({ ...options, onPause: () => wake.raise(), onFailure: options.onLogFailure }, ends);
  try {
    for (;;) {
      const view = await look(options, signal);
      options.onView(view);
      output.see(view);
      if (isEnded(view.state)) {
        await output.finished();
        return view;
      }
      await rest(options.clock, { wake, forMs: restMs[pace.now()] }, ends);
    }
  } finally {
    over.abort(new Error('followed to the end'));
  }
}

async function look(options: Following, signal: AbortSignal): Promise<TaskView> {
  const { api, clock, random, onTrouble, task } = options;
  let away = false;
  const patience = {
    clock,
    backoff: createBackoff({ firstMs: 200, longestMs: 5000, random: random.fraction }),
    onTrouble: (error: CliError): void => {
      away = true;
      onTrouble(error);
    },
  };
  const view = read(
    taskViewSchema,
    await patiently(patience, () => api.json({ path: path('tasks', task) }, signal), signal),
  );
  if (away) onTrouble(null);
  return view;
}

/** Events raise the wake. Where they are refused (a token without that right), looking again and again has to do. */
function startListening(options: Following, wake: Wake, signal: AbortSignal): { now(): keyof typeof restMs } {
  let pace: keyof typeof restMs = 'polling';
  const raise = (): void => wake.raise();
  const onOpen = (): void => {
    pace = 'listening';
    raise();
  };
  const onTrouble = (): void => {
    pace = 'polling';
    raise();
  };
  const query = { subject: options.task };
  listen({ ...options, query, onOpen, onEvent: raise, onTrouble }, signal).catch(onTrouble);
  return { now: () => pace };
}

/** Until the wake is raised, and no longer than so. */
export async function rest(clock: Clock, until: { wake: Wake; forMs: number }, signal: AbortSignal): Promise<void> {
  const over = new AbortController();
  const either = AbortSignal.any([signal, over.signal]);
  try {
    await Promise.race([until.wake.wait(either), clock.sleep(until.forMs, either)]);
  } finally {
    over.abort();
  }
}
