import type { Cli } from '../../cli.ts';
import { readContexts, withoutContext, writeContexts } from '../../client/contexts.ts';
import { namedContext } from '../../client/named-context.ts';
import { examples, newCommand } from '../../command.ts';

export function contextRemove(cli: Cli) {
  const command = newCommand(cli, 'remove')
    .argument('<name>', 'name of the context')
    .description('Forget a Host and its token on this machine. The token itself stays valid until it is revoked.')
    .action(async (name) => {
      const all = await readContexts(cli.folders);
      const { url } = namedContext(all, name);
      await writeContexts(cli.folders, withoutContext(all, name));
      cli.stderr.write(`Forgot ${url}\n`);
    });
  examples(command, ['weir context remove lab']);
  return command;
}
