import type { Cli } from '../../cli.ts';
import { examples } from '../../command.ts';
import { selectionCommand, selectionOf, tasksArgument } from '../../selection.ts';
import { actOnTasks } from '../../task-actions.ts';

export function taskResume(cli: Cli) {
  const command = selectionCommand(cli, 'resume')
    .argument(...tasksArgument)
    .description('Let paused tasks go on.')
    .action((tasks, flags) => actOnTasks(cli, { verb: 'resume', selection: selectionOf(tasks, flags), flags }));
  examples(command, ['weir task resume t1k7', 'weir task resume --state paused']);
  return command;
}
