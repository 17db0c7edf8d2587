import { taskViewSchema } from '../../../protocol/task-view.ts';
import type { Cli } from '../../cli.ts';
import { path } from '../../client/api.ts';
import { connect } from '../../client/connect.ts';
import { read } from '../../client/read.ts';
import { clientCommand, examples, outputOption } from '../../command.ts';
import { print } from '../../output/print.ts';
import { lookOf } from '../../output/style.ts';
import { taskSheet } from '../../output/task-text.ts';

export function taskShow(cli: Cli) {
  const command = clientCommand(cli, 'show')
    .argument('<task>', 'id, the beginning of one, or name')
    .description('Show a task: where it is, why, how it ended and what it used.')
    .addOption(outputOption())
    .action(async (task, flags) => {
      const api = await connect(cli, flags);
      const answer = await api.json({ path: path('tasks', task) }, cli.signal);
      await print(cli, flags.output, {
        value: answer,
        table: () => taskSheet(read(taskViewSchema, answer), lookOf(cli)),
        name: () => [read(taskViewSchema, answer).id],
      });
    });
  examples(command, ['weir task show t1k7', 'weir task show hello -o json']);
  return command;
}
