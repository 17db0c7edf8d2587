import type { Cli } from '../../cli.ts';
import { examples } from '../../command.ts';
import { selectionCommand, selectionOf, tasksArgument } from '../../selection.ts';
import { actOnTasks } from '../../task-actions.ts';

export function taskRelease(cli: Cli) {
  const command = selectionCommand(cli, 'release')
    .argument(...tasksArgument)
    .description('Let held tasks into the queue.')
    .action((tasks, flags) => actOnTasks(cli, { verb: 'release', selection: selectionOf(tasks, flags), flags }));
  examples(command, ['weir task release t1k7', 'weir task release --state held']);
  return command;
}
