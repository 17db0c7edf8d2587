import { nodeViewSchema } from '../../../protocol/node-view.ts';
import type { Cli } from '../../cli.ts';
import { connect } from '../../client/connect.ts';
import { readPages } from '../../client/pages.ts';
import { read } from '../../client/read.ts';
import { clientCommand, examples, outputOption } from '../../command.ts';
import { nodeTable, wideNodeTable } from '../../output/node-text.ts';
import { print } from '../../output/print.ts';
import { lookOf } from '../../output/style.ts';

export function nodeList(cli: Cli) {
  const command = clientCommand(cli, 'list')
    .description(
      'List the nodes, what is promised to work of what they have, and when they were last heard.',
    )
    .addOption(outputOption())
    .action(async (flags) => {
      const api = await connect(cli, flags);
      const list = await readPages(api, { path: '/nodes', pages: 'all' }, cli.signal);
      const nodes = () => list.items.map((item) => read(nodeViewSchema, item));
      await print(cli, flags.output, {
        value: list,
        table: () => nodeTable(nodes(), lookOf(cli)),
        wide: () => wideNodeTable(nodes(), lookOf(cli)),
        name: () => nodes().map((node) => node.id),
      });
    });
  examples(command, ['weir node list', 'weir node list -o wide', 'weir node list -o json']);
  return command;
}
