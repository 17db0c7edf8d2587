import type { Command } from '@commander-js/extra-typings';
import type { Cli } from './cli.ts';
import { examples, newCommand } from './command.ts';
import { commandTree, type Entry } from './command-tree.ts';

/** Which commands to load: all of them, or the one that these words call. */
export type Wanted = 'all' | readonly string[];

/** The whole command line. Commands that are not wanted are there by name and summary alone. */
export async function buildProgram(cli: Cli, wanted: Wanted): Promise<Command> {
  const program = newCommand(cli, 'weir')
    .description('Weir runs containers on the machines of a lab, a studio or a small company.')
    .version(cli.version, '-V, --version', 'show the version')
    .enablePositionalOptions();
  await addEntries(cli, program, { entries: commandTree, wanted });
  examples(program, ['weir up', 'weir run --image debian:12 -- uname -a', 'weir task list', 'weir task --help']);
  return program;
}

async function addEntries(
  cli: Cli,
  parent: Command,
  { entries, wanted }: { entries: readonly Entry[]; wanted: Wanted },
): Promise<void> {
  for (const entry of entries) {
    const called = wanted === 'all' || wanted[0] === entry.name;
    const below = wanted === 'all' ? 'all' : wanted.slice(1);
    parent.addCommand(called ? await load(cli, entry, below) : newCommand(cli, entry.name).summary(entry.summary));
  }
}

async function load(cli: Cli, entry: Entry, wanted: Wanted) {
  if ('load' in entry) return (await entry.load())(cli).summary(entry.summary);
  const group = newCommand(cli, entry.name)
    .summary(entry.summary)
    .description(`${entry.summary.charAt(0).toUpperCase()}${entry.summary.slice(1)}.`)
    .enablePositionalOptions();
  await addEntries(cli, group, { entries: entry.entries, wanted });
  examples(group, [`weir ${entry.name} ${entry.entries[0]?.name ?? ''}`, `weir ${entry.name} --help`]);
  return group;
}
