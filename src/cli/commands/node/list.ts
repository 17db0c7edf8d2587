import { nodeViewSchema } from '../../../protocol/node-view.ts';
import type { Cli } from '../../cli.ts';
import { connect } from '../../client/connect.ts';
import { readPages } from '../../client/pages.ts';
import { read } from '../../client/read.ts';
import { clientCommand, examples, outputOption, watchOption } from '../../command.ts';
import { showOrWatch } from '../../follow/watch.ts';
import { nodeTable, wideNodeTable } from '../../output/node-text.ts';
import { lookOf } from '../../output/style.ts';

export function nodeList(cli: Cli) {
  const command = clientCommand(cli, 'list')
    .description('List the nodes, what is promised to work of what they have, and when they were last heard.')
    .addOption(outputOption())
    .addOption(watchOption())
    .action(async (flags) => {
      const api = await connect(cli, flags);
      const readNodes = async (signal: AbortSignal) => {
        const list = await readPages(api, { path: '/nodes', pages: 'all' }, signal);
        const nodes = () => list.items.map((item) => read(nodeViewSchema, item));
        return {
          value: list,
          table: () => nodeTable(nodes(), lookOf(cli)),
          wide: () => wideNodeTable(nodes(), lookOf(cli)),
          name: () => nodes().map((node) => node.id),
        };
      };
      // What is promised of a node changes with tasks.
      await showOrWatch(cli, { api, format: flags.output, events: {}, read: readNodes }, flags.watch);
    });
  examples(command, ['weir node list', 'weir node list -o wide --watch', 'weir node list -o json']);
  return command;
}
