import { createBackoff } from '../../../lib/backoff.ts';
import { isEnded } from '../../../protocol/task-state.ts';
import { type TaskView, taskViewSchema } from '../../../protocol/task-view.ts';
import { durationMs } from '../../arguments.ts';
import type { Cli } from '../../cli.ts';
import { errorLines, exitCodeOf } from '../../cli-error.ts';
import { type Api, path, patiently } from '../../client/api.ts';
import { connect } from '../../client/connect.ts';
import { read } from '../../client/read.ts';
import { clientCommand, examples, outputOption } from '../../command.ts';
import { exitCodes } from '../../exit-codes.ts';
import { print } from '../../output/print.ts';
import { lookOf } from '../../output/style.ts';
import { taskTable } from '../../output/task-text.ts';

/** One held call; the Host answers with the view as it is when the time is over. */
const holdMs = 60_000;

export function taskWait(cli: Cli) {
  const command = clientCommand(cli, 'wait')
    .argument('<task...>', 'ids, beginnings of ids, or names')
    .description('Wait until the tasks have ended. Ends with 0 when all succeeded, 1 when not, 124 when time ran out.')
    .option('--timeout <duration>', 'how long at the most, such as 30m', durationMs)
    .addOption(outputOption())
    .action(async (tasks, flags) => {
      const api = await connect(cli, flags);
      const { deadline, settled } = startTimer(cli, flags.timeout);
      const waited = await Promise.allSettled(tasks.map((task) => waitForEnd({ cli, api, task }, deadline)));
      settled();
      if (cli.signal.aborted) throw cli.signal.reason;
      const answers = waited.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
      const views = answers.map((answer) => read(taskViewSchema, answer));
      if (answers.length > 0) {
        await print(cli, flags.output, {
          value: tasks.length === 1 ? answers[0] : answers,
          table: () => taskTable(views, lookOf(cli)),
          name: () => views.map((view) => view.id),
        });
      }
      const failures = waited.flatMap((one) => (one.status === 'rejected' ? [one.reason as unknown] : []));
      for (const line of failures.flatMap(errorLines)) cli.stderr.write(`${line}\n`);
      cli.setExitCode(failures.length > 0 ? exitCodeOf(failures[0]) : exitCodeOfAll(views));
    });
  examples(command, [
    'weir task wait t1k7',
    'weir task wait --timeout 2h t1k7 t1k8 t1k9 && ./publish',
    'weir task submit -f specs.json -o name | xargs weir task wait -o json',
  ]);
  return command;
}

function exitCodeOfAll(views: readonly TaskView[]): number {
  if (views.some((view) => !isEnded(view.state))) return exitCodes.timedOut;
  return views.every((view) => view.state === 'succeeded') ? exitCodes.ok : exitCodes.failure;
}

function startTimer(cli: Cli, timeoutMs: number | undefined): { deadline: AbortSignal; settled(): void } {
  const over = new AbortController();
  const done = new AbortController();
  if (timeoutMs !== undefined) {
    cli.clock.sleep(timeoutMs, done.signal).then(
      () => over.abort(new Error('the time to wait is over')),
      () => undefined,
    );
  }
  return { deadline: over.signal, settled: () => done.abort() };
}

interface Waiting {
  cli: Cli;
  api: Api;
  task: string;
}

/** The view at the end, or as it is at the deadline. Once the Host has answered, its absence is waited out. */
async function waitForEnd({ cli, api, task }: Waiting, deadline: AbortSignal): Promise<unknown> {
  const { clock } = cli;
  const signal = AbortSignal.any([cli.signal, deadline]);
  let answer = await api.json({ path: path('tasks', task) }, cli.signal);
  let view = read(taskViewSchema, answer);
  const request = {
    path: path('tasks', view.id, 'wait'),
    query: { timeout: `${holdMs}ms` },
    answerMs: holdMs + 30_000,
  };
  try {
    while (!isEnded(view.state)) {
      const backoff = createBackoff({ firstMs: 200, longestMs: 5000, random: cli.random.fraction });
      const patience = { clock, backoff, onTrouble: () => undefined };
      answer = await patiently(patience, () => api.json(request, signal), signal);
      view = read(taskViewSchema, answer);
      // A Host that stops answers at once.
      if (!isEnded(view.state)) await clock.sleep(backoff.nextMs(), signal);
    }
  } catch (error) {
    if (!deadline.aborted || cli.signal.aborted) throw error;
  }
  return answer;
}
