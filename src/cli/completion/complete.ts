import { printable } from '../../lib/text.ts';
import type { Cli } from '../cli.ts';
import { leadingFlagsLast } from '../leading-flags.ts';
import { buildProgram } from '../program.ts';
import { readLine } from './line.ts';
import { offersFor } from './offers.ts';

/**
 * Answers the shell's question what the last word may become: a word a line, and behind a tab what it is. Whatever goes
 * wrong is an empty answer: nobody wants to read about it in the middle of a line.
 */
export async function complete(cli: Cli, words: readonly string[]): Promise<void> {
  const before = leadingFlagsLast(words.slice(0, -1));
  const commands = before.filter((word) => /^[a-z][a-z-]*$/.test(word));
  const line = readLine(await buildProgram(cli, commands), [...before, words.at(-1) ?? '']);
  const offers = await offersFor(cli, line).catch(() => []);
  const fitting = offers.filter(({ value }) => value.startsWith(':') || value.startsWith(line.part));
  const text = fitting.map(({ value, description }) => {
    const shown = printable(description).replace(/[\n\t]+/g, ' ');
    return `${value.startsWith(':') ? '' : line.before}${value}\t${shown}\n`;
  });
  cli.stdout.write(text.join(''));
}
