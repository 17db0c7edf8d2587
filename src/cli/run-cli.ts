import { CommanderError } from '@commander-js/extra-typings';
import type { Cli } from './cli.ts';
import { commandTree } from './command-tree.ts';
import { errorLines, exitCodeOf, usageError } from './cli-error.ts';
import { exitCodes } from './exit-codes.ts';
import { leadingFlagsLast } from './leading-flags.ts';
import { buildProgram } from './program.ts';

/** Runs one command line (without node and script) and answers the exit code. Every failure is told on stderr. */
export async function runCli(argv: readonly string[], process: Omit<Cli, 'setExitCode'>): Promise<number> {
  let exitCode: number = exitCodes.ok;
  const cli: Cli = {
    ...process,
    setExitCode: (code) => {
      exitCode = code;
    },
  };
  try {
    if (argv[0] === 'complete') await answerShell(cli, argv.slice(argv[1] === '--' ? 2 : 1));
    else await call(cli, helpLast(leadingFlagsLast(argv)));
    return exitCode;
  } catch (error) {
    return told(cli, argv, error);
  }
}

async function call(cli: Cli, argv: readonly string[]): Promise<void> {
  const program = await buildProgram(cli, argv);
  await program.parseAsync([...argv], { from: 'user' });
}

async function answerShell(cli: Cli, words: readonly string[]): Promise<void> {
  const { complete } = await import('./completion/complete.ts');
  await complete(cli, words);
}

/** `weir help task list` is `weir task list --help`. */
function helpLast(argv: readonly string[]): readonly string[] {
  return argv[0] === 'help' ? [...argv.slice(1), '--help'] : argv;
}

function told(cli: Cli, argv: readonly string[], error: unknown): number {
  // Nobody reads any more: that is an end and no failure.
  if (cli.signal.aborted) return exitCodes.ok;
  if (error instanceof CommanderError && error.exitCode === 0) return exitCodes.ok;
  if (error instanceof CommanderError && error.code === 'commander.help') return exitCodes.usage;
  const shown = error instanceof CommanderError ? fromParser(error, argv) : error;
  for (const line of errorLines(shown)) cli.stderr.write(`${line}\n`);
  return exitCodeOf(shown);
}

/** Commands that are groups of others. */
const groups = new Set(commandTree.filter((entry) => 'entries' in entry).map(({ name }) => name));

/** `error: unknown command 'tsak'\n(Did you mean task?)` in the words of our own errors. */
function fromParser(error: CommanderError, argv: readonly string[]): Error {
  const [first = '', suggestion] = error.message.split('\n');
  const [, meant] = /^\(Did you mean (?:one of )?(.*?)\??\)$/.exec(suggestion ?? '') ?? [];
  const path = argv.slice(0, groups.has(argv[0] ?? '') ? 2 : 1);
  const words = path.filter((word) => /^[a-z-]+$/.test(word) && !word.startsWith('-'));
  const help = error.code === 'commander.unknownCommand' ? words.slice(0, -1) : words;
  const command = ['weir', ...help, '--help'].join(' ');
  return usageError(
    first.replace(/^error: /, ''),
    meant === undefined ? `see \`${command}\`` : `did you mean ${meant}?`,
  );
}
