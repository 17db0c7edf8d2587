import { explanationSchema } from '../../../protocol/task-view.ts';
import type { Cli } from '../../cli.ts';
import { path } from '../../client/api.ts';
import { connect } from '../../client/connect.ts';
import { read } from '../../client/read.ts';
import { clientCommand, examples, outputOption } from '../../command.ts';
import { explanationText } from '../../output/explanation-text.ts';
import { print } from '../../output/print.ts';
import { createStyle } from '../../output/style.ts';

export function taskExplain(cli: Cli) {
  const command = clientCommand(cli, 'explain')
    .argument('<task>', 'id, the beginning of one, or name')
    .description('Say why a task is where it is, node by node, and what would change it.')
    .addOption(outputOption())
    .action(async (task, flags) => {
      const api = await connect(cli, flags);
      const answer = await api.json({ path: path('tasks', task, 'explain') }, cli.signal);
      await print(cli, flags.output, {
        value: answer,
        table: () => explanationText(read(explanationSchema, answer), createStyle(cli.stdout, cli.env)),
        name: () => [read(explanationSchema, answer).id],
      });
    });
  examples(command, ['weir task explain t1k7', 'weir task explain training -o json']);
  return command;
}
