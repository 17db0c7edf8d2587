import { nodeViewSchema } from '../../../protocol/node-view.ts';
import type { Cli } from '../../cli.ts';
import { path } from '../../client/api.ts';
import { connect } from '../../client/connect.ts';
import { read } from '../../client/read.ts';
import { clientCommand, examples, outputOption, watchOption } from '../../command.ts';
import { showOrWatch } from '../../follow/watch.ts';
import { nodeSheet } from '../../output/node-text.ts';
import { lookOf } from '../../output/style.ts';

export function nodeShow(cli: Cli) {
  const command = clientCommand(cli, 'show')
    .argument('<node>', 'id, the beginning of one, or name')
    .description('Show a node: what it has, what is promised to work, how busy it is.')
    .addOption(outputOption())
    .addOption(watchOption())
    .action(async (node, flags) => {
      const api = await connect(cli, flags);
      const readNode = async (signal: AbortSignal) => {
        const answer = await api.json({ path: path('nodes', node) }, signal);
        return {
          value: answer,
          table: () => nodeSheet(read(nodeViewSchema, answer), lookOf(cli)),
          name: () => [read(nodeViewSchema, answer).id],
        };
      };
      // What is promised of it changes with tasks.
      await showOrWatch(cli, { api, format: flags.output, events: {}, read: readNode }, flags.watch);
    });
  examples(command, ['weir node show gpu-3', 'weir node show gpu-3 --watch', 'weir node show n2 -o yaml']);
  return command;
}
