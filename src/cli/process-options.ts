import { type Command, Option } from '@commander-js/extra-typings';

/** `--up`, `--host`, `--runner`: whose configuration is meant. */
export function processOptions(command: Command) {
  return command
    .addOption(new Option('--up', 'for `weir up`; the default').conflicts(['host', 'runner']))
    .addOption(new Option('--host', 'for `weir host`').conflicts(['up', 'runner']))
    .addOption(new Option('--runner', 'for `weir runner`').conflicts(['up', 'host']));
}
