import { resolve } from 'node:path';
import { collect, pairs } from '../arguments.ts';
import type { Cli } from '../cli.ts';
import { canonicalUrl } from '../client/canonical-url.ts';
import { tokenOf } from '../client/token.ts';
import { examples, newCommand } from '../command.ts';
import { serve } from '../serve.ts';
import { serverConfig } from '../server-config.ts';
import { configOption, dataOption, flagValues, insecureHttpOption } from '../server-flags.ts';
import { listenOption, logLevelOption } from '../server-flags.ts';

export function runner(cli: Cli) {
  const command = newCommand(cli, 'runner')
    .description(
      'Run the Runner of this machine. The first start joins with a token, from --join-file or WEIR_JOIN_TOKEN; later ones come back as the same node. SIGTERM stops it and leaves the work alone.',
    )
    .addOption(dataOption(cli.folders.data))
    .addOption(configOption())
    .option('--host <url>', 'address of the Host; needed to join', canonicalUrl)
    .option('--join-file <file>', 'file with the join token', (path) => resolve(path))
    .option('--name <name>', "name of the node; the machine's own unless said")
    .addOption(listenOption(8001))
    .option('--advertise <address:port>', 'where the Host reaches it, when that is another address')
    .option('-l, --label <key=value>', 'label of the node (repeat)', collect)
    .addOption(insecureHttpOption())
    .addOption(logLevelOption())
    .action((given) =>
      serve(cli, async (signal) => {
        const { data } = given;
        const flags = flagValues({
          'runner.host': { flag: '--host', value: given.host },
          'runner.joinFile': { flag: '--join-file', value: given.joinFile },
          'runner.name': { flag: '--name', value: given.name },
          'runner.listen': { flag: '--listen', value: given.listen },
          'runner.advertise': { flag: '--advertise', value: given.advertise },
          'runner.labels': { flag: '--label', value: given.label && pairs(given.label, '--label') },
          'log.level': { flag: '--log-level', value: given.logLevel },
        });
        const wanted = { process: 'runner', data, config: given.config, flags } as const;
        const loaded = await serverConfig(cli, wanted);
        const { runRunner } = await import('../../main/runner.ts');
        const token = cli.env['WEIR_JOIN_TOKEN'];
        const joinToken = token ? tokenOf(token, 'WEIR_JOIN_TOKEN') : null;
        const insecureHttp = given.insecureHttp === true;
        await runRunner({
          ...loaded,
          data,
          insecureHttp,
          joinToken,
          onReload: cli.onReload,
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
