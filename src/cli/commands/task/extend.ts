import type { Cli } from '../../cli.ts';
import { examples } from '../../command.ts';
import { selectionCommand, selectionOf, tasksArgument } from '../../selection.ts';
import { changeTasks } from '../../task-actions.ts';

export function taskExtend(cli: Cli) {
  const command = selectionCommand(cli, 'extend')
    .argument(...tasksArgument)
    .description('Change the time limit of tasks, counted from their start. While they run it is only made longer.')
    .requiredOption('--time-limit <duration>', 'the new limit, such as 4h; `none` takes it off')
    .action((tasks, flags) => {
      const timeLimit = flags.timeLimit === 'none' ? null : flags.timeLimit;
      return changeTasks(cli, { body: { timeLimit }, selection: selectionOf(tasks, flags), flags });
    });
  examples(command, ['weir task extend t1k7 --time-limit 4h', 'weir task extend --batch b3 --time-limit none']);
  return command;
}
