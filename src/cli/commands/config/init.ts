import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import type { Cli } from '../../cli.ts';
import { CliError } from '../../cli-error.ts';
import { examples, newCommand } from '../../command.ts';
import { exitCodes } from '../../exit-codes.ts';
import { write } from '../../output/print.ts';
import { dataOption } from '../../server-flags.ts';
import { processOf } from '../../server-config.ts';
import { processOptions } from '../../process-options.ts';

export function configInit(cli: Cli) {
  const command = processOptions(newCommand(cli, 'init'))
    .description(
      'Write a configuration file with every key, its default and what it does, all commented out. A file that is there stays.',
    )
    .argument('[file]', 'where to; DIR/config.json unless said')
    .addOption(dataOption(cli.folders.data))
    .action(async (file, flags) => {
      const { configTemplate } = await import('../../../config/template.ts');
      const { usualFile } = await import('../../../config/load.ts');
      const path = resolve(file ?? usualFile(flags.data));
      if (file === undefined) await mkdir(dirname(path), { recursive: true, mode: 0o700 });
      await writeNew(path, configTemplate(processOf(flags)));
      await write(cli.stdout, `${path}\n`, cli.signal);
    });
  examples(command, ['weir config init', 'weir config init --runner /etc/weir/config.json']);
  return command;
}

async function writeNew(path: string, text: string): Promise<void> {
  try {
    await writeFile(path, text, { flag: 'wx', mode: 0o644 });
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'error';
    const there = code === 'EEXIST';
    throw new CliError(there ? `${path} is there already` : `${path} cannot be written: ${code}`, {
      exitCode: there ? exitCodes.refused : exitCodes.failure,
      code: there ? 'file_exists' : 'file_unwritable',
      fix: there ? 'name another file, or move it away' : 'name a file that you may write',
      cause: error,
    });
  }
}
