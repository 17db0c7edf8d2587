import type { Cli } from '../../cli.ts';
import { path } from '../../client/api.ts';
import { clientCommand, examples, outputOption } from '../../command.ts';
import { actOnNodes } from '../../node-action.ts';

export function nodeDrain(cli: Cli) {
  const command = clientCommand(cli, 'drain')
    .argument('<node...>', 'ids, beginnings of ids, or names')
    .description('Give the nodes no new work; what runs there goes on.')
    .requiredOption('--reason <text>', 'why, for everybody whose tasks wait')
    .addOption(outputOption())
    .action((nodes, flags) =>
      actOnNodes(cli, {
        nodes,
        flags,
        request: (node) => ({
          method: 'POST',
          path: path('nodes', node, 'drain'),
          body: { reason: flags.reason },
        }),
      }),
    );
  examples(command, ['weir node drain gpu-3 --reason "new disk on Friday"']);
  return command;
}
