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

export function up(cli: Cli) {
  const command = newCommand(cli, 'up')
    .description(
      'Run a Host and a Runner in one process, for one machine. Once it answers, `weir run` works here. SIGTERM stops it and leaves the work alone.',
    )
    .addOption(dataOption(cli.folders.data))
    .addOption(listenOption(8000))
    .addOption(hostNameOption())
    .addOption(insecureHttpOption())
    .addOption(logLevelOption())
    .action((flags) =>
      serve(cli, async (signal) => {
        const { runUp } = await import('../../main/up.ts');
        const { data, listen, logLevel } = flags;
        await runUp({
          data,
          listen,
          logLevel,
          insecureHttp: flags.insecureHttp === true,
          hostNames: flags.hostName ?? [],
          signal,
        });
      }),
    );
  examples(command, ['weir up', 'weir up --data ./weir-data --listen 127.0.0.1:0']);
  return command;
}
