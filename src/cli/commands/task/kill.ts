import type { Cli } from '../../cli.ts';
import { examples } from '../../command.ts';
import { selectionCommand, selectionOf, tasksArgument } from '../../selection.ts';
import { actOnTasks } from '../../task-actions.ts';

export function taskKill(cli: Cli) {
  const command = selectionCommand(cli, 'kill')
    .argument(...tasksArgument)
    .description('Stop tasks: by their stop signal, and by force when their grace is over.')
    .option('--force', 'by force at once, without signal and grace')
    .option('-m, --message <text>', 'why, for everybody who looks at it later')
    .action((tasks, flags) => {
      const more = {
        ...(flags.force ? { force: true } : {}),
        ...(flags.message === undefined ? {} : { message: flags.message }),
      };
      return actOnTasks(cli, { verb: 'kill', selection: selectionOf(tasks, flags), more, flags });
    });
  examples(command, [
    'weir task kill t1k7',
    'weir task kill -m "wrong data" training evaluation',
    'weir task kill --force t1k7',
    'weir task kill --label project=atlas --state queued',
  ]);
  return command;
}
