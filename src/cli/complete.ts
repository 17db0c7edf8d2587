import type { CommandUnknownOpts, Option } from '@commander-js/extra-typings';
import completions, { type Command as Described, type Complete } from '@bomb.sh/tab';

/** Answers the shell's question what may come next, on stdout, in the form of the script of `weir completion`. */
export function complete(program: CommandUnknownOpts, words: readonly string[]): void {
  describe(program, []);
  completions.parse([...words]);
}

function describe(command: CommandUnknownOpts, path: readonly string[]): void {
  const target =
    path.length === 0
      ? completions
      : completions.command(path.join(' '), command.summary() || command.description());
  const help = command.createHelp();
  for (const option of help.visibleOptions(command)) describeOption(target, option);
  for (const argument of command.registeredArguments) {
    target.argument(argument.name(), offer(argument.argChoices), argument.variadic);
  }
  for (const child of help.visibleCommands(command)) describe(child, [...path, child.name()]);
}

function describeOption(target: Described, option: Option): void {
  if (!option.long) return;
  const long = option.long.slice(2);
  const short = option.short?.slice(1);
  if (option.required || option.optional)
    target.option(long, option.description, offer(option.argChoices), short);
  else if (short === undefined) target.option(long, option.description);
  else target.option(long, option.description, short);
}

function offer(choices: readonly string[] | undefined): (complete: Complete) => void {
  return (say) => {
    for (const choice of choices ?? []) say(choice, '');
  };
}
