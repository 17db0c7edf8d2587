import { printable } from '../../../lib/text.ts';
import type { Cli } from '../../cli.ts';
import { path } from '../../client/api.ts';
import { connect } from '../../client/connect.ts';
import { clientCommand, examples } from '../../command.ts';
import { each } from '../../each.ts';
import { write } from '../../output/print.ts';

export function nodeRemove(cli: Cli) {
  const command = clientCommand(cli, 'remove')
    .argument('<node...>', 'ids, beginnings of ids, or names')
    .description('Take nodes out of the cluster: their keys are not known any more. Prints what was removed.')
    .option('--lost', 'give up the work that is still on them: it counts as lost')
    .action(async (nodes, flags) => {
      const query = { lost: flags.lost ? 'true' : undefined };
      const api = await connect(cli, flags);
      await each(cli, nodes, async (node) => {
        await api.json({ method: 'DELETE', path: path('nodes', node), query }, cli.signal);
        await write(cli.stdout, `${printable(node)}\n`, cli.signal);
      });
    });
  examples(command, ['weir node remove gpu-3', 'weir node remove --lost gpu-3']);
  return command;
}
