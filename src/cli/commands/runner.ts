import { collect, listenAddress, pairs } from '../arguments.ts';
import type { Cli } from '../cli.ts';
import { canonicalUrl } from '../client/canonical-url.ts';
import { tokenOf } from '../client/token.ts';
import { examples, newCommand } from '../command.ts';
import { serve } from '../serve.ts';
import { dataOption, insecureHttpOption, listenOption, logLevelOption } from '../server-flags.ts';

export function runner(cli: Cli) {
  const command = newCommand(cli, 'runner')
    .description(
      'Run the Runner of this machine. The first start joins with a token, from --join-file or WEIR_JOIN_TOKEN; later ones come back as the same node. SIGTERM stops it and leaves the work alone.',
    )
    .addOption(dataOption(cli.folders.data))
    .option('--host <url>', 'address of the Host; needed to join', canonicalUrl)
    .option('--join-file <file>', 'file with the join token')
    .option('--name <name>', "name of the node; the machine's own unless said")
    .addOption(listenOption(8001))
    .option(
      '--advertise <address:port>',
      'where the Host reaches it, when that is another address',
      listenAddress,
    )
    .option('-l, --label <key=value>', 'label of the node (repeat)', collect)
    .addOption(insecureHttpOption())
    .addOption(logLevelOption())
    .action((flags) =>
      serve(cli, async (signal) => {
        const { runRunner } = await import('../../main/runner.ts');
        const token = cli.env['WEIR_JOIN_TOKEN'];
        await runRunner({
          data: flags.data,
          host: flags.host ?? null,
          joinFile: flags.joinFile ?? null,
          joinToken: token ? tokenOf(token, 'WEIR_JOIN_TOKEN') : null,
          name: flags.name ?? null,
          listen: flags.listen,
          advertise: flags.advertise ?? null,
          labels: pairs(flags.label ?? [], '--label'),
          insecureHttp: flags.insecureHttp === true,
          logLevel: flags.logLevel,
          signal,
        });
      }),
    );
  examples(command, [
    'weir runner --host https://weir.example:8000 --join-file join.token --listen 0.0.0.0:8001',
    'WEIR_JOIN_TOKEN=$(cat join.token) weir runner --host https://weir.example:8000 --name gpu-3 -l rack=4',
    'weir runner',
  ]);
  return command;
}
