import { Argument } from '@commander-js/extra-typings';
import type { Cli } from '../cli.ts';
import { examples, newCommand } from '../command.ts';
import { completionScripts, shells } from '../completion/scripts.ts';
import { write } from '../output/print.ts';

export function completion(cli: Cli) {
  const command = newCommand(cli, 'completion')
    .description(
      'Print the script that makes a shell complete `weir` at the Tab key: commands, options, and the ids and names that the Host knows.',
    )
    .addArgument(new Argument('<shell>', 'the shell').choices(shells))
    .action((shell) => write(cli.stdout, completionScripts[shell], cli.signal));
  examples(command, [
    'source <(weir completion bash)',
    'source <(weir completion zsh)',
    'weir completion fish > ~/.config/fish/completions/weir.fish',
  ]);
  return command;
}
