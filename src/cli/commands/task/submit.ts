import { readFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { taskViewSchema } from '../../../protocol/task-view.ts';
import type { Cli } from '../../cli.ts';
import { usageError } from '../../cli-error.ts';
import { connect } from '../../client/connect.ts';
import { read } from '../../client/read.ts';
import { submit } from '../../client/submit.ts';
import { examples, outputOption } from '../../command.ts';
import { print } from '../../output/print.ts';
import { lookOf } from '../../output/style.ts';
import { taskTable } from '../../output/task-text.ts';
import { specFromFlags, specCommand } from '../../spec-flags.ts';

export function taskSubmit(cli: Cli) {
  const command = specCommand(cli, 'submit')
    .argument('[command...]', 'what to run, behind `--`')
    .description(
      'Submit a task, or an array of tasks that are taken all or none, and come back at once.',
    )
    .option('-f, --file <file>', 'spec as JSON, or an array of specs; `-` reads it from stdin')
    .addOption(outputOption())
    .passThroughOptions()
    .action(async (argv, flags) => {
      const body =
        flags.file === undefined
          ? specFromFlags(flags, argv, cli.env)
          : await readSpecs(cli, flags.file);
      const api = await connect(cli, flags);
      const path = Array.isArray(body) ? '/tasks/batch' : '/tasks';
      const answer = await submit(cli, api, {
        path,
        query: { strict: flags.strict ? 'true' : undefined },
        body,
      });
      const views = (): ReturnType<typeof viewsOf> => viewsOf(answer);
      await print(cli, flags.output, {
        value: answer,
        table: () => taskTable(views(), lookOf(cli)),
        name: () => views().map((view) => view.id),
      });
    });
  examples(command, [
    'weir task submit --image debian:12 --cpus 2 --memory 4GiB -- make -j2',
    'weir task submit --image debian:12 --gpus 1 --shell "nvidia-smi && ./train" -o name',
    'weir task submit -f spec.json',
    'jq -c . specs.json | weir task submit -f - --strict -o json',
  ]);
  return command;
}

function viewsOf(answer: unknown) {
  const isBatch =
    typeof answer === 'object' &&
    answer !== null &&
    'items' in answer &&
    Array.isArray(answer.items);
  const items: unknown[] = isBatch ? (answer.items as unknown[]) : [answer];
  return items.map((item) => read(taskViewSchema, item));
}

async function readSpecs(cli: Cli, file: string): Promise<unknown> {
  const source = file === '-' ? 'stdin' : file;
  try {
    return JSON.parse(file === '-' ? await text(cli.stdin) : await readFile(file, 'utf8'));
  } catch (error) {
    const why = error instanceof Error ? error.message : 'it cannot be read';
    throw usageError(
      `${source} holds no spec: ${why}`,
      'give a task spec, or an array of them, as JSON',
    );
  }
}
