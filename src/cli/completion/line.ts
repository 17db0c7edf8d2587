import type { CommandUnknownOpts, Option } from '@commander-js/extra-typings';

/** What is to be completed, as far as the words before say. */
export type Asked =
  | { kind: 'option' }
  | { kind: 'value'; option: Option }
  | { kind: 'operand'; at: number }
  /** Behind `--`: words of the workload. */
  | { kind: 'foreign' };

export interface Line {
  command: CommandUnknownOpts;
  /** `task`, `kill` */
  path: readonly string[];
  asked: Asked;
  /** What stands before the part that is completed, in the same word: `--output=`. */
  before: string;
  /** The part that is completed. */
  part: string;
  /** Options that were given with a value, by long name. */
  given: Readonly<Record<string, string>>;
}

interface Walk {
  command: CommandUnknownOpts;
  path: string[];
  operands: number;
  given: Record<string, string>;
  /** The option whose value comes next. */
  pending: Option | null;
  foreign: boolean;
}

/** Reads a line as far as it was typed; the last word is the one to complete. */
export function readLine(program: CommandUnknownOpts, words: readonly string[]): Line {
  const walk: Walk = {
    command: program,
    path: [],
    operands: 0,
    given: {},
    pending: null,
    foreign: false,
  };
  for (const word of words.slice(0, -1)) step(walk, word);
  const last = words.at(-1) ?? '';
  const { command, path, given } = walk;
  return { command, path, given, ...question(walk, last) };
}

function step(walk: Walk, word: string): void {
  if (walk.foreign) return;
  if (walk.pending) {
    if (walk.pending.long) walk.given[walk.pending.long] = word;
    walk.pending = null;
    return;
  }
  if (word === '--') walk.foreign = true;
  else if (word.startsWith('-')) option(walk, word);
  else operand(walk, word);
}

function option(walk: Walk, word: string): void {
  const [name, value] = splitOnce(word);
  const found = optionOf(walk.command, name);
  if (!found || !takesValue(found)) return;
  if (value === undefined) walk.pending = found;
  else if (found.long) walk.given[found.long] = value;
}

function operand(walk: Walk, word: string): void {
  const below = walk.command.commands.find((one) => one.name() === word);
  if (below) {
    walk.command = below;
    walk.path.push(word);
    return;
  }
  walk.operands += 1;
  // A command that hands its operands on reads no option behind the first.
  if (walk.path[0] === 'run' || walk.path[1] === 'submit') walk.foreign = true;
}

function question(walk: Walk, last: string): Pick<Line, 'asked' | 'before' | 'part'> {
  if (walk.foreign) return { asked: { kind: 'foreign' }, before: '', part: last };
  if (walk.pending) return { asked: { kind: 'value', option: walk.pending }, before: '', part: last };
  const [name, value] = splitOnce(last);
  const found = last.startsWith('-') && value !== undefined && optionOf(walk.command, name);
  if (found) return { asked: { kind: 'value', option: found }, before: `${name}=`, part: value ?? '' };
  if (last.startsWith('-')) return { asked: { kind: 'option' }, before: '', part: last };
  return { asked: { kind: 'operand', at: walk.operands }, before: '', part: last };
}

function splitOnce(word: string): [string, string | undefined] {
  const at = word.indexOf('=');
  return at === -1 ? [word, undefined] : [word.slice(0, at), word.slice(at + 1)];
}

function optionOf(command: CommandUnknownOpts, name: string): Option | undefined {
  return command.options.find((one) => one.long === name || one.short === name);
}

const takesValue = (option: Option): boolean => option.required || option.optional;
