import { priorityClasses } from '../../../protocol/task-spec.ts';
import type { Cli } from '../../cli.ts';
import { usageError } from '../../cli-error.ts';
import { examples } from '../../command.ts';
import { selectionCommand, selectionOf } from '../../selection.ts';
import { changeTasks } from '../../task-actions.ts';

const classes = Object.keys(priorityClasses);

export function taskPriority(cli: Cli) {
  const command = selectionCommand(cli, 'priority')
    .argument('<task-and-class...>', 'ids, beginnings of ids, or names, and behind them the class')
    .usage('[options] [task...] <class>')
    .description(`Change the priority class of tasks that wait: ${classes.join(', ')}.`)
    .action((words, flags) => {
      const priority = words.at(-1) ?? '';
      if (!classes.includes(priority))
        throw usageError(`"${priority}" is no priority class`, `end with ${classes.join(', ')}`);
      const selection = selectionOf(words.slice(0, -1), flags);
      return changeTasks(cli, { body: { priority }, selection, flags });
    });
  examples(command, ['weir task priority t1k7 urgent', 'weir task priority --label project=atlas batch']);
  return command;
}
