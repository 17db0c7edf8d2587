import type { Cli } from '../../cli.ts';
import { usageError } from '../../cli-error.ts';
import { path } from '../../client/api.ts';
import { clientCommand, examples, outputOption } from '../../command.ts';
import { actOnNodes } from '../../node-action.ts';

export function nodeLabel(cli: Cli) {
  const command = clientCommand(cli, 'label')
    .argument('<node>', 'id, the beginning of one, or name')
    .argument('<changes...>', 'KEY=VALUE sets a label, KEY- takes it away')
    .description('Set labels of a node and take them away.')
    .addOption(outputOption())
    .action((node, changes, flags) => {
      const labels = Object.fromEntries(changes.map(changeOf));
      return actOnNodes(cli, {
        nodes: [node],
        flags,
        request: (one) => ({ method: 'PATCH', path: path('nodes', one), body: { labels } }),
      });
    });
  examples(command, ['weir node label gpu-3 rack=4 pool=night', 'weir node label gpu-3 pool-']);
  return command;
}

/** `null` takes the label away. */
function changeOf(text: string): [string, string | null] {
  const [, key, value] = /^([^=]+)=(.*)$/s.exec(text) ?? [];
  if (key !== undefined) return [key, value ?? ''];
  if (/^[^=]+-$/.test(text)) return [text.slice(0, -1), null];
  throw usageError(`"${text}" is no change of a label`, 'write KEY=VALUE to set it, KEY- to take it away');
}
