import { Argument } from '@commander-js/extra-typings';
import type { Cli } from '../cli.ts';
import { examples, newCommand } from '../command.ts';

export function completion(cli: Cli) {
  const command = newCommand(cli, 'completion')
    .description('Print the script that makes a shell complete `weir` at the Tab key.')
    .addArgument(new Argument('<shell>', 'the shell').choices(['bash', 'zsh', 'fish'] as const))
    .action(async (shell) => {
      const { script } = await import('@bomb.sh/tab');
      script(shell, 'weir', 'weir');
    });
  examples(command, [
    'source <(weir completion bash)',
    'weir completion fish > ~/.config/fish/completions/weir.fish',
  ]);
  return command;
}
