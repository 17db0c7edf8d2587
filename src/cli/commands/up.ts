import type { Cli } from '../cli.ts';
import { examples, newCommand } from '../command.ts';
import { serve } from '../serve.ts';
import { serverConfig } from '../server-config.ts';
import { configOption, dataOption, flagValues, hostNameOption } from '../server-flags.ts';
import { insecureHttpOption, listenOption, logLevelOption } from '../server-flags.ts';

export function up(cli: Cli) {
  const command = newCommand(cli, 'up')
    .description(
      'Run a Host and a Runner in one process, for one machine. Once it answers, `weir run` works here. SIGTERM stops it and leaves the work alone; SIGHUP reads the certificate anew.',
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
          process: 'up',
          data,
          config: given.config,
          flags,
        });
        const { runUp } = await import('../../main/up.ts');
        const insecureHttp = given.insecureHttp === true;
        await runUp({ ...loaded, data, insecureHttp, onReload: cli.onReload, signal });
      }),
    );
  examples(command, [
    'weir up',
    'weir up --data ./weir-data --listen 127.0.0.1:0',
    'weir up --config /etc/weir/config.json',
  ]);
  return command;
}
