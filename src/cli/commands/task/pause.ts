import type { Cli } from '../../cli.ts';
import { examples } from '../../command.ts';
import { selectionCommand, selectionOf, tasksArgument } from '../../selection.ts';
import { actOnTasks } from '../../task-actions.ts';

export function taskPause(cli: Cli) {
  const command = selectionCommand(cli, 'pause')
    .argument(...tasksArgument)
    .description('Freeze running tasks; they keep their room.')
    .action((tasks, flags) => actOnTasks(cli, { verb: 'pause', selection: selectionOf(tasks, flags), flags }));
  examples(command, ['weir task pause t1k7', 'weir task pause --label project=atlas --state running']);
  return command;
}
