import type { TaskSpecInput } from '../../../protocol/task-spec.ts';
import type { Cli } from '../../cli.ts';
import { usageError } from '../../cli-error.ts';
import { connect } from '../../client/connect.ts';
import { bodyOf, submitSpecs } from '../../client/submit-specs.ts';
import { examples, outputOption } from '../../command.ts';
import { showDryRun } from '../../dry-run.ts';
import { print } from '../../output/print.ts';
import { lookOf } from '../../output/style.ts';
import { taskTable } from '../../output/task-text.ts';
import type { SpecFlags } from '../../spec/from-flags.ts';
import { specCommand } from '../../spec/options.ts';
import { readSpecFile, readSpecs } from '../../spec/read-specs.ts';

export function taskSubmit(cli: Cli) {
  const command = specCommand(cli, 'submit')
    .argument('[command...]', 'what to run, behind `--`')
    .description('Submit a task, or an array of tasks that are taken all or none, and come back at once.')
    .option('-f, --file <file>', 'spec as JSON, or an array of specs; `-` reads it from stdin')
    .addOption(outputOption())
    .passThroughOptions()
    .action(async (argv, flags) => {
      const body = await bodyFrom(cli, flags, argv);
      const api = await connect(cli, flags);
      if (flags.dryRun) {
        const specs = (Array.isArray(body) ? body : [body]) as TaskSpecInput[];
        return showDryRun(cli, api, { specs, format: flags.output });
      }
      const { answer, tasks } = await submitSpecs(cli, api, { body, strict: flags.strict });
      await print(cli, flags.output, {
        value: answer,
        table: () => taskTable(tasks(), lookOf(cli)),
        name: () => tasks().map(({ id }) => id),
      });
    });
  examples(command, [
    'weir task submit --image debian:12 --cpus 2 --memory 4GiB -- make -j2',
    'weir task submit --image debian:12 --gpus 1 --shell "nvidia-smi && ./train" -o name',
    'weir task submit --retries 5 --retry-on exit,oom --image debian:12 -- ./flaky',
    'weir task submit -f spec.json',
    'jq -c . specs.json | weir task submit -f - --strict -o json',
  ]);
  return command;
}

async function bodyFrom(
  cli: Cli,
  flags: SpecFlags & { file?: string | undefined },
  argv: readonly string[],
): Promise<unknown> {
  if (flags.file === undefined) return bodyOf(await readSpecs(cli, flags, argv));
  // What stands in the file would silently win over them.
  const besides = await readSpecs(cli, { ...flags, stdin: undefined }, argv);
  const [one] = besides;
  if (besides.length > 1 || Object.keys(one).length > 0 || flags.stdin !== undefined)
    throw usageError('--file has the whole spec, and options or a command say more', 'give one');
  return readSpecFile(cli, flags.file);
}
