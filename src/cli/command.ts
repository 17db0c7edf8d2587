import { Command, type CommandUnknownOpts, type Option as AnyOption, Option } from '@commander-js/extra-typings';
import type { Cli } from './cli.ts';
import { formats } from './output/print.ts';

const connection = 'Connection:';

/** A command that throws instead of ending the process, and writes to the streams that it is given. */
export function newCommand(cli: Cli, name: string): Command {
  return new Command(name)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => void cli.stdout.write(text),
      writeErr: (text) => void cli.stderr.write(text),
      // Told once, by the outer edge, in the words of every other error.
      outputError: () => undefined,
      getOutHasColors: () => false,
      getErrHasColors: () => false,
    })
    .configureHelp({ groupItems: connectionLast, sortSubcommands: false })
    .showSuggestionAfterError(true)
    .helpOption('-h, --help', 'show this help')
    .helpCommand(false);
}

/** A command that talks to the Host. */
export function clientCommand(cli: Cli, name: string) {
  return newCommand(cli, name)
    .addOption(new Option('--url <url>', 'address of the Host (WEIR_URL)').helpGroup(connection))
    .addOption(new Option('--token-file <file>', 'file with the token (WEIR_TOKEN)').helpGroup(connection))
    .addOption(new Option('--pin <hash>', "hash of the Host's TLS key (WEIR_TLS_PIN)").helpGroup(connection))
    .addOption(new Option('--data <dir>', 'data folder of a Host on this machine').helpGroup(connection))
    .addOption(new Option('--context <name>', 'a context that `weir login` saved').helpGroup(connection));
}

/** `-o`: how the answer is shown. */
export const outputOption = () =>
  new Option('-o, --output <format>', 'how to show the answer').choices(formats).default('table' as const);

export const watchOption = () =>
  new Option('--watch', 'show it anew whenever it changes, until Ctrl-C; JSON is one document a line');

/** Adds examples below the options; `$` is put before each. */
export function examples(command: CommandUnknownOpts, lines: readonly string[]): void {
  command.addHelpText('after', `\nExamples:\n${lines.map((line) => `  $ ${line}`).join('\n')}`);
}

function connectionLast<T extends CommandUnknownOpts | AnyOption>(
  items: T[],
  visible: T[],
  groupOf: (item: T) => string,
): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  const last = (item: T): number => (groupOf(item) === connection ? 1 : 0);
  for (const item of items.toSorted((a, b) => last(a) - last(b))) groups.set(groupOf(item), []);
  for (const item of visible) {
    const group = groups.get(groupOf(item)) ?? [];
    groups.set(groupOf(item), [...group, item]);
  }
  return new Map([...groups].filter(([, members]) => members.length > 0));
}
