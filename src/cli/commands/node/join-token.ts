import { joinTokenAnswerSchema } from '../../../protocol/enrol.ts';
import type { Cli } from '../../cli.ts';
import { connect } from '../../client/connect.ts';
import { read } from '../../client/read.ts';
import { clientCommand, examples, outputOption } from '../../command.ts';
import { print } from '../../output/print.ts';

export function nodeJoinToken(cli: Cli) {
  const command = clientCommand(cli, 'join-token')
    .description('Make a token with which one machine joins, once. The token alone goes to stdout.')
    .option('--expires <duration>', 'how long it can be used: an hour unless said, 24 h at the most')
    .option('--name <name>', 'name of the node that joins with it')
    .addOption(outputOption())
    .action(async (flags) => {
      const api = await connect(cli, flags);
      const body = {
        ...(flags.expires === undefined ? {} : { expires: flags.expires }),
        ...(flags.name === undefined ? {} : { name: flags.name }),
      };
      const answer = await api.json({ method: 'POST', path: '/nodes/join-tokens', body }, cli.signal);
      const made = read(joinTokenAnswerSchema, answer);
      await print(cli, flags.output, {
        value: answer,
        table: () => `${made.token}\n`,
        name: () => [made.id],
      });
      if (flags.output !== 'table') return;
      cli.stderr.write(`Until ${made.expiresAt}, on the new machine: weir runner --host URL --join-file FILE\n`);
    });
  examples(command, [
    'weir node join-token > join.token',
    'weir node join-token --expires 10m --name gpu-3 -o json',
    'weir node join-token | ssh gpu-3 "cat > join.token && weir runner --host https://weir:8000 --join-file join.token"',
  ]);
  return command;
}
