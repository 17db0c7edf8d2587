import type { Cli } from '../../cli.ts';
import { readContexts, writeContexts } from '../../client/contexts.ts';
import { namedContext } from '../../client/named-context.ts';
import { examples, newCommand } from '../../command.ts';

export function contextUse(cli: Cli) {
  const command = newCommand(cli, 'use')
    .argument('<name>', 'name of the context')
    .description('Use this Host from now on.')
    .action(async (name) => {
      const all = await readContexts(cli.folders);
      const { url } = namedContext(all, name);
      await writeContexts(cli.folders, { ...all, current: name });
      cli.stderr.write(`Using ${url}\n`);
    });
  examples(command, ['weir context use lab']);
  return command;
}
