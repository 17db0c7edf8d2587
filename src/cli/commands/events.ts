import { Option } from '@commander-js/extra-typings';
import { eventTypes } from '../../protocol/event.ts';
import { wholeNumber } from '../arguments.ts';
import type { Cli } from '../cli.ts';
import { connect } from '../client/connect.ts';
import type { ReadEvent } from '../client/events.ts';
import { clientCommand, examples } from '../command.ts';
import { usageError } from '../cli-error.ts';
import { listen } from '../follow/listen.ts';
import { createReporter } from '../follow/reporter.ts';
import { eventLine } from '../output/event-text.ts';
import { jsonText, write } from '../output/print.ts';
import { createStyle } from '../output/style.ts';

export function events(cli: Cli) {
  const command = clientCommand(cli, 'events')
    .description(
      'Show what happens, as it happens, until Ctrl-C. A Host that goes away is waited for, and nothing is missed.',
    )
    .option('--since <number>', 'begin behind the event with this number', wholeNumber)
    .option('--type <type>', 'only of this type, such as task.failed or node.*')
    .option('--subject <id>', 'only about this task or node')
    .addOption(
      new Option('-o, --output <format>', 'how to show them; json is one event a line')
        .choices(['table', 'json'] as const)
        .default('table' as const),
    )
    .action(async (flags) => {
      if (flags.type !== undefined) checkType(flags.type);
      const api = await connect(cli, flags);
      const style = createStyle(cli.stdout, cli.env);
      const reporter = createReporter(cli.stderr);
      const text = ({ raw, event }: ReadEvent): string =>
        flags.output === 'json' || event === null ? jsonText(raw) : eventLine(event, style);
      await listen(
        {
          ...cli,
          api,
          query: { since: flags.since, type: flags.type, subject: flags.subject },
          onOpen: reporter.clear,
          onEvent: (one) => write(cli.stdout, `${text(one)}\n`, cli.signal),
          onTrouble: reporter.onTrouble,
        },
        cli.signal,
      );
    });
  examples(command, ['weir events', 'weir events --type task.failed -o json', 'weir events --since 0 --subject t1k7']);
  return command;
}

function checkType(type: string): void {
  const known: readonly string[] = [...eventTypes, 'task.*', 'node.*'];
  if (!known.includes(type))
    throw usageError(`there is no type of event "${type}"`, `the types are ${known.join(', ')}`);
}
