import type { Cli } from '../../cli.ts';
import { examples } from '../../command.ts';
import { selectionCommand, selectionOf, tasksArgument } from '../../selection.ts';
import { actOnTasks } from '../../task-actions.ts';

export function taskRetry(cli: Cli) {
  const command = selectionCommand(cli, 'retry')
    .argument(...tasksArgument)
    .description('Queue tasks that did not succeed for one more attempt; of an array, its members.')
    .action((tasks, flags) => actOnTasks(cli, { verb: 'retry', selection: selectionOf(tasks, flags), flags }));
  examples(command, ['weir task retry t1k7', 'weir task retry --batch b3 --state failed']);
  return command;
}
