import { taskViewSchema } from '../../../protocol/task-view.ts';
import type { Cli } from '../../cli.ts';
import { path } from '../../client/api.ts';
import { connect } from '../../client/connect.ts';
import { read } from '../../client/read.ts';
import { clientCommand, examples, outputOption } from '../../command.ts';
import { each } from '../../each.ts';
import { print } from '../../output/print.ts';
import { lookOf } from '../../output/style.ts';
import { taskTable } from '../../output/task-text.ts';

export function taskKill(cli: Cli) {
  const command = clientCommand(cli, 'kill')
    .argument('<task...>', 'ids, beginnings of ids, or names')
    .description('Stop tasks: by their stop signal, and by force when their grace is over.')
    .option('--force', 'by force at once, without signal and grace')
    .option('-m, --message <text>', 'why, for everybody who looks at it later')
    .addOption(outputOption())
    .action(async (tasks, flags) => {
      const api = await connect(cli, flags);
      const body = {
        ...(flags.force ? { force: true } : {}),
        ...(flags.message === undefined ? {} : { message: flags.message }),
      };
      const kill = (task: string): Promise<unknown> =>
        api.json({ method: 'POST', path: path('tasks', task, 'kill'), body }, cli.signal);
      const answers = await each(cli, tasks, kill);
      if (answers.length === 0) return;
      const views = () => answers.map((answer) => read(taskViewSchema, answer));
      await print(cli, flags.output, {
        value: tasks.length === 1 ? answers[0] : answers,
        table: () => taskTable(views(), lookOf(cli)),
        name: () => views().map((view) => view.id),
      });
    });
  examples(command, [
    'weir task kill t1k7',
    'weir task kill -m "wrong data" training evaluation',
    'weir task kill --force t1k7',
    'weir task list --state queued --all -o name | xargs weir task kill',
  ]);
  return command;
}
