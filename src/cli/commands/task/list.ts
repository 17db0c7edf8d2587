import { taskStates } from '../../../protocol/task-state.ts';
import { taskViewSchema } from '../../../protocol/task-view.ts';
import { collect, wholeNumber } from '../../arguments.ts';
import type { Cli } from '../../cli.ts';
import { usageError } from '../../cli-error.ts';
import { connect } from '../../client/connect.ts';
import { readPages } from '../../client/pages.ts';
import { read } from '../../client/read.ts';
import { clientCommand, examples, outputOption } from '../../command.ts';
import { print } from '../../output/print.ts';
import { lookOf } from '../../output/style.ts';
import { taskTable } from '../../output/task-text.ts';

export function taskList(cli: Cli) {
  const command = clientCommand(cli, 'list')
    .description('List tasks, the newest first.')
    .option('--state <state>', 'only in this state (repeat)', collect)
    .option('--node <node>', 'only on this node')
    .option('-l, --label <key=value>', 'only with this label (repeat)', collect)
    .option('--name <name>', 'only with this name')
    .option('--owner <owner>', 'only of this owner')
    .option('--limit <count>', 'how many at once', wholeNumber)
    .option('--cursor <cursor>', 'go on behind the page that ended with it')
    .option('--all', 'all pages')
    .addOption(outputOption())
    .action(async (flags) => {
      checkStates(flags.state ?? []);
      const api = await connect(cli, flags);
      const { state, node, label, name, owner, limit, cursor } = flags;
      const query = { state: state?.join(','), node, label, name, owner, limit, cursor };
      const list = await readPages(
        api,
        { path: '/tasks', query, pages: flags.all ? 'all' : 'one' },
        cli.signal,
      );
      const views = list.items.map((item) => () => read(taskViewSchema, item));
      await print(cli, flags.output, {
        value: list,
        table: () =>
          taskTable(
            views.map((view) => view()),
            lookOf(cli),
          ),
        name: () => views.map((view) => view().id),
      });
      if (list.cursor !== null)
        cli.stderr.write(`There are more: add --all, or --cursor ${list.cursor}\n`);
    });
  examples(command, [
    'weir task list',
    'weir task list --state queued --state running -l project=atlas',
    'weir task list --state failed --all -o json',
  ]);
  return command;
}

function checkStates(states: readonly string[]): void {
  const known: readonly string[] = taskStates;
  const wrong = states.find((state) => !known.includes(state));
  if (wrong !== undefined)
    throw usageError(`there is no state "${wrong}"`, `the states are ${taskStates.join(', ')}`);
}
