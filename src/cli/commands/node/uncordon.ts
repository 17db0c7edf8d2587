import type { Cli } from '../../cli.ts';
import { path } from '../../client/api.ts';
import { clientCommand, examples, outputOption } from '../../command.ts';
import { actOnNodes } from '../../node-action.ts';

export function nodeUncordon(cli: Cli) {
  const command = clientCommand(cli, 'uncordon')
    .argument('<node...>', 'ids, beginnings of ids, or names')
    .description('Give the cordoned nodes new work again.')
    .addOption(outputOption())
    .action((nodes, flags) =>
      actOnNodes(cli, {
        nodes,
        flags,
        request: (node) => ({ method: 'POST', path: path('nodes', node, 'uncordon') }),
      }),
    );
  examples(command, ['weir node uncordon gpu-3']);
  return command;
}
