import { Option } from '@commander-js/extra-typings';
import { isEnded } from '../../../protocol/task-state.ts';
import { taskViewSchema } from '../../../protocol/task-view.ts';
import { wholeNumber } from '../../arguments.ts';
import type { Cli } from '../../cli.ts';
import { errorLines, exitCodeOf } from '../../cli-error.ts';
import { type Api, path } from '../../client/api.ts';
import { connect } from '../../client/connect.ts';
import { type LogQuery, type LogRecord, readLogs } from '../../client/log-records.ts';
import { read } from '../../client/read.ts';
import { clientCommand, examples } from '../../command.ts';
import type { LogChoice } from '../../follow/follow-attempt.ts';
import { followTask } from '../../follow/follow-task.ts';
import { createReporter } from '../../follow/reporter.ts';
import { write } from '../../output/print.ts';

export function taskLogs(cli: Cli) {
  const command = clientCommand(cli, 'logs')
    .argument('<task>', 'id, the beginning of one, or name')
    .description("Print a task's output, byte for byte: stdout to stdout, stderr to stderr.")
    .option('-f, --follow', 'go on until the task has ended; a task that waits is waited for')
    .option('--tail <lines>', 'only the last lines', wholeNumber)
    .option('--since <offset>', 'only what comes behind this many bytes of output', wholeNumber)
    .addOption(new Option('--stream <stream>', 'only this stream').choices(['stdout', 'stderr'] as const))
    .option('--attempt <number>', 'of this attempt instead of the last one', wholeNumber)
    .action(async (task, flags) => {
      const api = await connect(cli, flags);
      const { tail, since, stream, attempt } = flags;
      const view = read(taskViewSchema, await api.json({ path: path('tasks', task) }, cli.signal));
      const earlier = attempt !== undefined && attempt < view.attempt;
      if (flags.follow && !earlier && !isEnded(view.state)) {
        await follow(cli, api, { task: view.id, logs: { tail, since, stream } });
      } else {
        await printAll(cli, api, { task: view.id, follow: 'now', tail, since, stream, attempt });
      }
    });
  examples(command, [
    'weir task logs t1k7',
    'weir task logs -f training',
    'weir task logs --tail 100 --stream stderr training > errors.txt',
  ]);
  return command;
}

/** A log is a raw stream: what the task wrote goes out as it is, to a terminal too. */
function writeRecord(cli: Cli, { stream, bytes }: Pick<LogRecord, 'stream' | 'bytes'>): Promise<void> {
  return write(stream === 'stdout' ? cli.stdout : cli.stderr, bytes, cli.signal);
}

async function printAll(cli: Cli, api: Api, query: LogQuery): Promise<void> {
  for await (const record of readLogs(api, query, cli.signal)) await writeRecord(cli, record);
}

async function follow(cli: Cli, api: Api, { task, logs }: { task: string; logs: LogChoice }): Promise<void> {
  const reporter = createReporter(cli.stderr);
  const view = await followTask(
    {
      ...cli,
      api,
      task,
      logs,
      onView: reporter.onView,
      onTrouble: reporter.onTrouble,
      onRecord: (record) => {
        reporter.clear();
        return writeRecord(cli, record);
      },
      onLogFailure(error) {
        cli.setExitCode(exitCodeOf(error));
        for (const line of errorLines(error)) cli.stderr.write(`${line}\n`);
      },
    },
    cli.signal,
  );
  reporter.clear();
  if (view.startedAt === null) reporter.onEnd(view);
}
