import type { ResolvedSetting } from '../../../config/resolve.ts';
import type { Cli } from '../../cli.ts';
import { examples, newCommand, outputOption } from '../../command.ts';
import { jsonText, print } from '../../output/print.ts';
import { table } from '../../output/table.ts';
import { processOptions } from '../../process-options.ts';
import { processOf, serverConfig } from '../../server-config.ts';
import { configOption, dataOption } from '../../server-flags.ts';

export function configShow(cli: Cli) {
  const command = processOptions(newCommand(cli, 'show'))
    .description(
      'Show each value with which a process would start here, as somebody wrote it, and where it comes from. No key holds a secret, only the names of files that do.',
    )
    .addOption(dataOption(cli.folders.data))
    .addOption(configOption())
    .addOption(outputOption())
    .action(async (flags) => {
      const { originText } = await import('../../../config/given.ts');
      const process = processOf(flags);
      const { settings } = await serverConfig(cli, {
        process,
        data: flags.data,
        config: flags.config,
      });
      const shown = settings
        .filter(({ setting }) => setting.usedBy.includes(process))
        .map(({ path, written, origin }) => ({
          key: path,
          value: written,
          source: originText(origin),
        }));
      await print(cli, flags.output, {
        value: shown,
        table: () =>
          table(
            ['KEY', 'VALUE', 'SOURCE'],
            shown.map(({ key, value, source }) => [key, asText(value), source]),
          ),
        name: () => shown.map(({ key }) => key),
      });
    });
  examples(command, ['weir config show', 'weir config show --runner -o yaml']);
  return command;
}

const asText = (value: ResolvedSetting['written']): string =>
  typeof value === 'string' ? value : value === null ? '' : jsonText(value);
