import { printable } from '../../../lib/text.ts';
import type { Cli } from '../../cli.ts';
import { examples, newCommand } from '../../command.ts';
import { write } from '../../output/print.ts';
import { processOptions } from '../../process-options.ts';
import { processOf, serverConfig } from '../../server-config.ts';
import { dataOption } from '../../server-flags.ts';

export function configCheck(cli: Cli) {
  const command = processOptions(newCommand(cli, 'check'))
    .description(
      'Check a configuration file and the variables beside it. Every fault is listed with its place and what would mend it; the exit code is 2 then.',
    )
    .argument('[file]', 'which; the one that a process would read unless said')
    .addOption(dataOption(cli.folders.data))
    .action(async (file, flags) => {
      const wanted = { process: processOf(flags), data: flags.data, config: file };
      const loaded = await serverConfig(cli, wanted);
      for (const warning of loaded.warnings) cli.stderr.write(`weir: ${printable(warning)}\n`);
      const set = loaded.settings.filter(({ origin }) => origin.kind !== 'default').length;
      const where = loaded.file === null ? 'no file' : printable(loaded.file);
      await write(
        cli.stdout,
        `${where}: nothing is wrong, ${set} of ${loaded.settings.length} keys are set\n`,
        cli.signal,
      );
    });
  examples(command, ['weir config check', 'weir config check --runner ./config.json']);
  return command;
}
