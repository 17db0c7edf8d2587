import type { CommandUnknownOpts } from '@commander-js/extra-typings';
import { describe, expect, it } from 'vitest';
import type { Cli } from '../../src/cli/cli.ts';
import { commandTree, type Entry } from '../../src/cli/command-tree.ts';
import { buildProgram } from '../../src/cli/program.ts';
import { openTerminal } from './cli-harness.ts';

function paths(entries: readonly Entry[], above: readonly string[] = []): string[][] {
  return entries.flatMap((entry) => {
    const path = [...above, entry.name];
    return 'entries' in entry ? [path, ...paths(entry.entries, path)] : [path];
  });
}

function walk(command: CommandUnknownOpts, path: string): { path: string; command: CommandUnknownOpts }[] {
  return [{ path, command }, ...command.commands.flatMap((child) => walk(child, `${path} ${child.name()}`))];
}

describe('help', () => {
  it.each(paths(commandTree).map((path) => path.join(' ')))(
    'weir %s tells what it does and shows an example',
    async (path) => {
      const terminal = await openTerminal();
      const words = path.split(' ');
      expect(await terminal.weir(...words, '--help')).toBe(0);
      const text = terminal.stdout.text();
      expect(text).toMatch(new RegExp(`^Usage: weir ${path} `));
      expect(text).toMatch(/\n\nExamples:\n {2}\$ .*weir /);
      expect(terminal.stderr.text()).toBe('');
      expect(await terminal.weir('help', ...words)).toBe(0);
      expect(terminal.stdout.text()).toBe(text + text);
      await terminal[Symbol.asyncDispose]();
    },
  );

  it('describes every option and argument, and uses no option name for two things in one command', async () => {
    const terminal = await openTerminal();
    const program = await buildProgram({ ...terminal.cli, setExitCode: () => undefined } satisfies Cli, 'all');
    for (const { path, command } of walk(program, 'weir')) {
      const options = command.options.map(({ flags, description }) => `${path} ${flags}: ${description}`);
      const operands = command.registeredArguments.map((one) => `${path} <${one.name()}>: ${one.description}`);
      expect([...options, ...operands].filter((line) => line.endsWith(': '))).toEqual([]);
      const names = command.options.flatMap(({ long, short }) => [long, short].filter(Boolean));
      expect(names).toEqual([...new Set(names)]);
    }
    await terminal[Symbol.asyncDispose]();
  });

  it('gives no way to put a secret on the command line', async () => {
    const terminal = await openTerminal();
    const program = await buildProgram({ ...terminal.cli, setExitCode: () => undefined } satisfies Cli, 'all');
    const options = walk(program, 'weir').flatMap(({ command }) => command.options.map((option) => option.long));
    expect(options.filter((long) => /^--(token|password|secret|join-token)$/.test(long ?? ''))).toEqual([]);
    await terminal[Symbol.asyncDispose]();
  });

  it('of weir alone lists the commands and ends as a wrong use', async () => {
    const terminal = await openTerminal();
    expect(await terminal.weir()).toBe(2);
    for (const { name } of commandTree) expect(terminal.stderr.text()).toContain(name);
    await terminal[Symbol.asyncDispose]();
  });
});
