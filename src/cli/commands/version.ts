import { protocolVersion } from '../../protocol/version.ts';
import type { Cli } from '../cli.ts';
import { connect } from '../client/connect.ts';
import { clientCommand, examples, outputOption } from '../command.ts';
import { print } from '../output/print.ts';
import { sheet } from '../output/table.ts';

export function version(cli: Cli) {
  const command = clientCommand(cli, 'version')
    .description('Show the version of this `weir` and, with --host, of the Host.')
    .option('--host', 'ask the Host for its version too')
    .addOption(outputOption())
    .action(async (flags) => {
      const protocol = `${protocolVersion.major}.${protocolVersion.minor}`;
      const host = flags.host ? await hostVersion(cli, flags) : null;
      const value = {
        weir: cli.version,
        protocol,
        node: process.version,
        ...(host === null ? {} : { host }),
      };
      await print(cli, flags.output, {
        value,
        table: () => sheet(Object.entries(value)),
        name: () => [cli.version],
      });
    });
  examples(command, ['weir version', 'weir version --host -o json']);
  return command;
}

async function hostVersion(cli: Cli, flags: Parameters<typeof connect>[1]): Promise<string> {
  const api = await connect(cli, flags);
  const answer = await api.json({ path: '/status' }, cli.signal);
  const told = typeof answer === 'object' && answer !== null && 'version' in answer ? answer.version : null;
  return typeof told === 'string' ? told : 'unknown';
}
