import type { TaskView } from '../../protocol/task-view.ts';
import type { TaskSpecInput } from '../../protocol/task-spec.ts';
import type { Cli } from '../cli.ts';
import type { Api } from '../client/api.ts';
import { connect } from '../client/connect.ts';
import { bodyOf, submitSpecs } from '../client/submit-specs.ts';
import { examples } from '../command.ts';
import { showDryRun } from '../dry-run.ts';
import { exitCodes } from '../exit-codes.ts';
import { attached, outputOf } from '../follow/attached.ts';
import { followGroup } from '../follow/follow-group.ts';
import { followTask } from '../follow/follow-task.ts';
import { createReporter, type Reporter } from '../follow/reporter.ts';
import { taskExitCode } from '../follow/task-exit.ts';
import type { Root } from '../follow/task-group.ts';
import { write } from '../output/print.ts';
import { specCommand } from '../spec/options.ts';
import { readSpecs } from '../spec/read-specs.ts';

export function run(cli: Cli) {
  const command = specCommand(cli, 'run')
    .argument('[command...]', "what to run, behind `--`; the image's own command when absent")
    .description(
      'Run a command as a task, show its output, and end with its exit code: 125 when it never started, 128 + n by a signal. Of an array or several targets every line says whose it is, and 0 means that all succeeded. Ctrl-C detaches and leaves it running, twice kills it.',
    )
    .option('-d, --detach', 'print the id and come back at once')
    .option('--no-follow', 'wait for the end without showing the output')
    .passThroughOptions()
    .action(async (argv, flags) => {
      const specs = await readSpecs(cli, flags, argv);
      const api = await connect(cli, flags);
      if (flags.dryRun) return showDryRun(cli, api, { specs, format: 'table' });
      const submission = { body: bodyOf(specs), strict: flags.strict };
      if (flags.detach) {
        const { tasks } = await submitSpecs(cli, api, submission);
        await write(
          cli.stdout,
          tasks()
            .map(({ id }) => `${id}\n`)
            .join(''),
          cli.signal,
        );
        return;
      }
      const reporter = createReporter(cli.stderr);
      const output = flags.follow ? 'show' : 'leave';
      const code = await attached(cli, api, {
        reporter,
        submit: async (asked) => (await submitSpecs(asked, api, submission)).tasks(),
        follow: (within, tasks) => follow(within, api, { tasks, specs, output, reporter }),
      });
      cli.setExitCode(code);
    });
  examples(command, [
    'weir run --image debian:12 -- uname -a',
    'weir run --image python:3.12 --gpus 1 --memory 16GiB --time-limit 2h -- python train.py',
    'weir run --image debian:12 --shell "make test 2>&1 | tail"',
    "weir run --image debian:12 --array '0-99%10' --shell 'echo part $WEIR_ARRAY_INDEX'",
    'weir run --image debian:12 --target gpu-1::0 --target gpu-2::0 -- nvidia-smi',
    'id=$(weir run --detach --image debian:12 -- sleep 60)',
  ]);
  return command;
}

interface Following {
  tasks: readonly TaskView[];
  specs: readonly TaskSpecInput[];
  output: 'show' | 'leave';
  reporter: Reporter;
}

async function follow(cli: Cli, api: Api, following: Following): Promise<number> {
  const { tasks } = following;
  const [only] = tasks;
  if (only && tasks.length === 1 && !only.members) return followOne(cli, api, { ...following, only });
  return followAll(cli, api, following);
}

async function followOne(
  cli: Cli,
  api: Api,
  { only, output, reporter }: Following & { only: TaskView },
): Promise<number> {
  reporter.onView(only);
  const logs = output === 'show' ? {} : null;
  const sinks = { ...outputOf(cli, reporter), onView: reporter.onView };
  const view = await followTask({ ...cli, api, task: only.id, logs, ...sinks }, cli.signal);
  reporter.clear();
  if (view.state !== 'succeeded' && view.end?.cause !== 'exit') reporter.onEnd(view);
  return taskExitCode(view);
}

async function followAll(cli: Cli, api: Api, { tasks, specs, output, reporter }: Following): Promise<number> {
  const targets = specs.map(({ placement }) => placement?.target);
  // Two tasks at one place are told apart by their ids.
  const labelOf = (id: string, target: string | undefined): string =>
    target !== undefined && targets.indexOf(target) === targets.lastIndexOf(target) ? target : id;
  const roots = tasks.map(({ id, members }, at): Root => ({
    id,
    label: tasks.length === 1 ? '' : labelOf(id, targets[at]),
    kind: members ? 'array' : 'task',
  }));
  const name = tasks.map(({ id }) => id).join(', ');
  const ended = await followGroup(
    {
      ...cli,
      api,
      roots,
      output,
      ...outputOf(cli, reporter),
      onChange: (members) => reporter.onGroup(name, members),
    },
    cli.signal,
  );
  reporter.onGroupEnd(name, ended);
  const allWell = ended.every(({ task }) => task.state === 'succeeded');
  return allWell ? exitCodes.ok : exitCodes.failure;
}
