import { createBackoff } from '../../lib/backoff.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Random } from '../../lib/crypto.ts';
import { isEnded } from '../../protocol/task-state.ts';
import type { Api } from '../client/api.ts';
import type { LogRecord } from '../client/log-records.ts';
import { CliError, isPassing } from '../cli-error.ts';
import { type AttemptLogs, createAttemptLogs } from './attempt-logs.ts';
import { listen } from './listen.ts';
import { prefixedLines } from './prefixed-lines.ts';
import { createSlots } from './slots.ts';
import { createTaskGroup, type Member, type Root, type TaskGroup } from './task-group.ts';

export interface GroupFollowing {
  api: Api;
  clock: Clock;
  random: Random;
  roots: readonly Root[];
  output: 'show' | 'leave';
  onChange(members: Iterable<Member>): void;
  onRecord(record: Pick<LogRecord, 'stream' | 'bytes'>): Promise<void>;
  onTrouble(error: CliError | null): void;
  onLogFailure(error: unknown): void;
}

/** Logs that are read at a time, a connection each; the others' come behind, whole. */
const mostLogs = 48;
/** How often all is looked at again where events are refused. */
const pollMs = 2000;

/**
 * Follows tasks and the members of arrays to their ends, their output line by line behind `[label]`. Resolves with
 * all of them as they ended when their output was handed on.
 * @throws CliError when the Host refuses
 */
export async function followGroup(options: GroupFollowing, signal: AbortSignal): Promise<Member[]> {
  const group = createTaskGroup(options.api, options.roots);
  const over = new AbortController();
  const ends = AbortSignal.any([signal, over.signal]);
  const outputs = createOutputs(options, signal);
  const look = (changed: Iterable<Member>): void => {
    for (const member of changed) outputs.see(member);
    options.onChange(group.members());
    if ([...group.members()].every(({ task }) => isEnded(task.state))) over.abort(new Error('all have ended'));
  };
  try {
    await keepUp(options, { group, look }, ends);
  } catch (error) {
    if (!over.signal.aborted || signal.aborted) throw error;
  }
  await outputs.finished();
  return [...group.members()];
}

interface Keeping {
  group: TaskGroup;
  look(changed: Iterable<Member>): void;
}

/** Reads all, then takes over event by event; begins again when events were missed. Ends with the signal alone. */
async function keepUp(options: GroupFollowing, { group, look }: Keeping, signal: AbortSignal): Promise<never> {
  const backoff = createBackoff({ firstMs: 200, longestMs: 5000, random: options.random.fraction });
  for (;;) {
    let waitMs = 0;
    try {
      const since = await group.load(signal);
      backoff.reset();
      options.onTrouble(null);
      look(group.members());
      await listen(
        {
          ...options,
          query: { since, type: 'task.*' },
          onOpen: () => options.onTrouble(null),
          onEvent({ event }) {
            const changed = event && group.see(event);
            if (changed) look([changed]);
          },
        },
        signal,
      );
    } catch (error) {
      if (signal.aborted || !(error instanceof CliError)) throw error;
      waitMs = pauseMs(error, backoff.nextMs());
      if (waitMs < 0) throw error;
      if (isPassing(error)) options.onTrouble(error);
    }
    await options.clock.sleep(waitMs, signal);
  }
}

/** How long after a failure all is read anew; negative when that would not help. */
function pauseMs(error: CliError, backoffMs: number): number {
  if (error.details.code === 'gone') return 0;
  if (error.details.code === 'forbidden') return pollMs;
  return isPassing(error) ? backoffMs : -1;
}

interface Outputs {
  see(member: Member): void;
  finished(): Promise<void>;
}

function createOutputs(options: GroupFollowing, signal: AbortSignal): Outputs {
  const logs = new Map<string, AttemptLogs>();
  const within = createSlots(mostLogs);
  const open = ({ label, task }: Member): AttemptLogs => {
    const lines = prefixedLines(`[${label}] `, options.onRecord);
    return createAttemptLogs(
      {
        ...options,
        task: task.id,
        logs: options.output === 'show' ? {} : null,
        onPause: () => undefined,
        onRecord: lines.push,
        onFailure: options.onLogFailure,
        within: (read) =>
          within(async () => {
            try {
              await read();
            } finally {
              await lines.flush();
            }
          }),
      },
      signal,
    );
  };
  return {
    see(member) {
      const known = logs.get(member.task.id) ?? open(member);
      logs.set(member.task.id, known);
      known.see(member.task);
    },
    async finished() {
      for (const one of logs.values()) await one.finished();
    },
  };
}
