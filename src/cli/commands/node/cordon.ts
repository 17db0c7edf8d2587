import type { Cli } from '../../cli.ts';
import { path } from '../../client/api.ts';
import { clientCommand, examples, outputOption } from '../../command.ts';
import { actOnNodes } from '../../node-action.ts';

export function nodeCordon(cli: Cli) {
  const command = clientCommand(cli, 'cordon')
    .argument('<node...>', 'ids, beginnings of ids, or names')
    .description('Give the nodes no new work for a while, without meaning to empty them.')
    .option('--reason <text>', 'why, for everybody whose tasks wait')
    .addOption(outputOption())
    .action((nodes, flags) =>
      actOnNodes(cli, {
        nodes,
        flags,
        request: (node) => ({
          method: 'POST',
          path: path('nodes', node, 'cordon'),
          body: flags.reason === undefined ? {} : { reason: flags.reason },
        }),
      }),
    );
  examples(command, ['weir node cordon gpu-3 --reason "trying a driver"']);
  return command;
}
