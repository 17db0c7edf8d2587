import type { Cli } from '../cli.ts';
import { examples, newCommand } from '../command.ts';
import { serve } from '../serve.ts';
import {
  dataOption,
  hostNameOption,
  insecureHttpOption,
  listenOption,
  logLevelOption,
} from '../server-flags.ts';

export function host(cli: Cli) {
  const command = newCommand(cli, 'host')
    .description(
      'Run the Host. Once it answers, its address is in DIR/endpoint.json; the first start makes DIR/admin.token. SIGTERM stops it and leaves the work alone.',
    )
    .addOption(dataOption(cli.folders.data))
    .addOption(listenOption(8000))
    .addOption(hostNameOption())
    .addOption(insecureHttpOption())
    .addOption(logLevelOption())
    .action((flags) =>
      serve(cli, async (signal) => {
        const { runHost } = await import('../../main/host.ts');
        const { data, listen, logLevel } = flags;
        await runHost({
          data,
          listen,
          logLevel,
          insecureHttp: flags.insecureHttp === true,
          hostNames: flags.hostName ?? [],
          signal,
        });
      }),
    );
  examples(command, ['weir host', 'weir host --data /srv/weir --listen 0.0.0.0:8000']);
  return command;
}
