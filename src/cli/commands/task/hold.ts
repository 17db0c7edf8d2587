import type { Cli } from '../../cli.ts';
import { examples } from '../../command.ts';
import { selectionCommand, selectionOf, tasksArgument } from '../../selection.ts';
import { actOnTasks } from '../../task-actions.ts';

export function taskHold(cli: Cli) {
  const command = selectionCommand(cli, 'hold')
    .argument(...tasksArgument)
    .description('Keep queued tasks from starting until they are released.')
    .action((tasks, flags) => actOnTasks(cli, { verb: 'hold', selection: selectionOf(tasks, flags), flags }));
  examples(command, ['weir task hold t1k7', 'weir task hold --label project=atlas --state queued']);
  return command;
}
