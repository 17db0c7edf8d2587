import { taskViewSchema } from '../../../protocol/task-view.ts';
import type { Cli } from '../../cli.ts';
import { path } from '../../client/api.ts';
import { connect } from '../../client/connect.ts';
import { read } from '../../client/read.ts';
import { clientCommand, examples, outputOption, watchOption } from '../../command.ts';
import { showOrWatch } from '../../follow/watch.ts';
import { lookOf } from '../../output/style.ts';
import { taskSheet } from '../../output/task-sheet.ts';

export function taskShow(cli: Cli) {
  const command = clientCommand(cli, 'show')
    .argument('<task>', 'id, the beginning of one, or name')
    .description('Show a task: where it is, why, its attempts, how it ended and what it used.')
    .addOption(outputOption())
    .addOption(watchOption())
    .action(async (task, flags) => {
      const api = await connect(cli, flags);
      const readTask = async (signal: AbortSignal) => {
        const answer = await api.json({ path: path('tasks', task) }, signal);
        return {
          value: answer,
          table: () => taskSheet(read(taskViewSchema, answer), lookOf(cli)),
          name: () => [read(taskViewSchema, answer).id],
        };
      };
      // A name or a prefix says nothing to the events: any task's may be of this one.
      const events = { type: 'task.*' };
      await showOrWatch(cli, { api, format: flags.output, events, read: readTask }, flags.watch);
    });
  examples(command, ['weir task show t1k7', 'weir task show t5.3 --watch', 'weir task show hello -o json']);
  return command;
}
