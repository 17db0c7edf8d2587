import type { Cli } from '../../cli.ts';
import { path } from '../../client/api.ts';
import { clientCommand, examples, outputOption } from '../../command.ts';
import { actOnNodes } from '../../node-action.ts';

export function nodeRelease(cli: Cli) {
  const command = clientCommand(cli, 'release')
    .argument('<node...>', 'ids, beginnings of ids, or names')
    .description('Let nodes that two machines claimed to be report again, once only the right one runs.')
    .addOption(outputOption())
    .action((nodes, flags) =>
      actOnNodes(cli, {
        nodes,
        flags,
        request: (node) => ({ method: 'POST', path: path('nodes', node, 'release') }),
      }),
    );
  examples(command, ['weir node release gpu-3']);
  return command;
}
