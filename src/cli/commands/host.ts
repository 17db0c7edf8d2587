import type { Cli } from '../cli.ts';
import { examples, newCommand } from '../command.ts';
import { serve } from '../serve.ts';
import { serverConfig } from '../server-config.ts';
import { configOption, dataOption, flagValues, hostNameOption } from '../server-flags.ts';
import { insecureHttpOption, listenOption, logLevelOption } from '../server-flags.ts';

export function host(cli: Cli) {
  const command = newCommand(cli, 'host')
    .description(
      'Run the Host. Once it answers, its address is in DIR/endpoint.json; the first start makes DIR/admin.token. SIGTERM stops it and leaves the work alone; SIGHUP reads the certificate anew.',
    )
    .addOption(dataOption(cli.folders.data))
    .addOption(configOption())
    .addOption(listenOption(8000))
    .addOption(hostNameOption())
    .addOption(insecureHttpOption())
    .addOption(logLevelOption())
    .action((given) =>
      serve(cli, async (signal) => {
        const { data } = given;
        const flags = flagValues({
          'host.listen': { flag: '--listen', value: given.listen },
          'host.names': { flag: '--host-name', value: given.hostName },
          'log.level': { flag: '--log-level', value: given.logLevel },
        });
        const loaded = await serverConfig(cli, {
          process: 'host',
          data,
          config: given.config,
          flags,
        });
        const { runHost } = await import('../../main/host.ts');
        const insecureHttp = given.insecureHttp === true;
        await runHost({ ...loaded, data, insecureHttp, onReload: cli.onReload, signal });
      }),
    );
  examples(command, ['weir host', 'weir host --data /srv/weir --listen 0.0.0.0:8000']);
  return command;
}
