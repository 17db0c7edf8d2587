import type { Cli } from '../../cli.ts';
import { readContexts } from '../../client/contexts.ts';
import { examples, newCommand, outputOption } from '../../command.ts';
import { print } from '../../output/print.ts';
import { table } from '../../output/table.ts';

export function contextList(cli: Cli) {
  const command = newCommand(cli, 'list')
    .description('List the Hosts that `weir login` saved, without their tokens; * is the one in use.')
    .addOption(outputOption())
    .action(async (flags) => {
      const { current, contexts } = await readContexts(cli.folders);
      const shown = contexts.map(({ name, url, pin }) => ({
        name,
        url,
        pin,
        current: name === current,
      }));
      await print(cli, flags.output, {
        value: shown,
        table: () =>
          table(
            ['', 'NAME', 'URL', 'PIN'],
            shown.map((one) => [one.current ? '*' : ' ', one.name, one.url, one.pin ?? '']),
          ),
        name: () => shown.map((one) => one.name),
      });
    });
  examples(command, ['weir context list', 'weir context list -o json']);
  return command;
}
