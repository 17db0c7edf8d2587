import { taskViewSchema } from '../../protocol/task-view.ts';
import type { Cli } from '../cli.ts';
import { errorLines } from '../cli-error.ts';
import { type Api, path } from '../client/api.ts';
import { connect } from '../client/connect.ts';
import type { LogRecord } from '../client/log-records.ts';
import { read } from '../client/read.ts';
import { submit } from '../client/submit.ts';
import { examples } from '../command.ts';
import { exitCodes } from '../exit-codes.ts';
import { followTask } from '../follow/follow-task.ts';
import { handleInterrupts } from '../follow/interrupts.ts';
import { createReporter, type Reporter } from '../follow/reporter.ts';
import { taskExitCode } from '../follow/task-exit.ts';
import { write } from '../output/print.ts';
import { specFromFlags, specCommand } from '../spec-flags.ts';

/** How long after a first Ctrl-C the second one kills. */
const windowMs = 2000;

export function run(cli: Cli) {
  const command = specCommand(cli, 'run')
    .argument('[command...]', "what to run, behind `--`; the image's own command when absent")
    .description(
      'Run a command as a task, show its output, and end with its exit code: 125 when it never started, 128 + n by a signal. Ctrl-C detaches and leaves it running, twice kills it.',
    )
    .option('-d, --detach', 'print the id and come back at once')
    .option('--no-follow', 'wait for the end without showing the output')
    .passThroughOptions()
    .action(async (argv, flags) => {
      const spec = specFromFlags(flags, argv, cli.env);
      const api = await connect(cli, flags);
      const request = {
        path: '/tasks',
        query: { strict: flags.strict ? 'true' : undefined },
        body: spec,
      };
      if (flags.detach) {
        const { id } = read(taskViewSchema, await submit(cli, api, request));
        await write(cli.stdout, `${id}\n`, cli.signal);
        return;
      }
      cli.setExitCode(
        await attached(cli, api, { request, output: flags.follow ? 'show' : 'leave' }),
      );
    });
  examples(command, [
    'weir run --image debian:12 -- uname -a',
    'weir run --image python:3.12 --gpus 1 --memory 16GiB --time-limit 2h -- python train.py',
    'weir run --image debian:12 --shell "make test 2>&1 | tail"',
    'id=$(weir run --detach --image debian:12 -- sleep 60)',
  ]);
  return command;
}

interface Attached {
  request: { path: string; query: { strict: string | undefined }; body: unknown };
  output: 'show' | 'leave';
}

async function attached(cli: Cli, api: Api, { request, output }: Attached): Promise<number> {
  const reporter = createReporter(cli.stderr);
  const left = new AbortController();
  const signal = AbortSignal.any([cli.signal, left.signal]);
  const task: { id: string | null } = { id: null };
  using _ = interrupts(cli, api, { task, reporter, left });
  try {
    const submitted = read(taskViewSchema, await submit({ ...cli, signal }, api, request));
    task.id = submitted.id;
    reporter.onView(submitted);
    const view = await followTask(
      following({ ...cli, signal }, api, { task: submitted.id, output, reporter }),
      signal,
    );
    reporter.clear();
    if (view.state !== 'succeeded' && view.end?.cause !== 'exit') reporter.onEnd(view);
    return taskExitCode(view);
  } catch (error) {
    if (cli.signal.aborted) return exitCodes.brokenPipe;
    if (!left.signal.aborted) throw error;
    reporter.clear();
    if (task.id !== null)
      cli.stderr.write(`weir: ${task.id} goes on; follow it again: weir task logs -f ${task.id}\n`);
    return exitCodes.interrupted;
  }
}

function following(
  cli: Cli,
  api: Api,
  { task, output, reporter }: { task: string; output: 'show' | 'leave'; reporter: Reporter },
) {
  return {
    ...cli,
    api,
    task,
    logs: output === 'show' ? {} : null,
    onView: reporter.onView,
    onTrouble: reporter.onTrouble,
    onRecord: ({ stream, bytes }: Pick<LogRecord, 'stream' | 'bytes'>) => {
      reporter.clear();
      return write(stream === 'stdout' ? cli.stdout : cli.stderr, bytes, cli.signal);
    },
    onLogFailure: (error: unknown) => {
      reporter.clear();
      for (const line of errorLines(error)) cli.stderr.write(`${line}\n`);
    },
  };
}

interface Interruptible {
  task: { readonly id: string | null };
  reporter: Reporter;
  left: AbortController;
}

function interrupts(cli: Cli, api: Api, { task, reporter, left }: Interruptible): Disposable {
  const say = (text: string): void => {
    reporter.clear();
    cli.stderr.write(`${text}\n`);
  };
  return handleInterrupts({
    clock: cli.clock,
    onInterrupt: cli.onInterrupt,
    windowMs,
    onFirst() {
      if (task.id === null) return 'nothing yet';
      say(`\nweir: leaving ${task.id}; press Ctrl-C again within ${windowMs / 1000} s to kill it`);
      return 'killable';
    },
    leave: () => left.abort(new Error('detached')),
    kill() {
      if (task.id === null) return;
      say(`weir: killing ${task.id}`);
      api
        .json(
          { method: 'POST', path: path('tasks', task.id, 'kill'), body: { message: 'Ctrl-C' } },
          cli.signal,
        )
        .catch((error: unknown) => errorLines(error).forEach(say));
    },
  });
}
