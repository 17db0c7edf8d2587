import type { TaskSpecInput } from '../protocol/task-spec.ts';
import { dryRunSchema } from '../protocol/task-view.ts';
import type { Cli } from './cli.ts';
import type { Api } from './client/api.ts';
import { read } from './client/read.ts';
import { dryRunText } from './output/explanation-text.ts';
import { type Format, print } from './output/print.ts';
import { createStyle } from './output/style.ts';

/** Shows what the Host's scheduler would do with each spec by itself; nothing is submitted. */
export async function showDryRun(
  cli: Cli,
  api: Api,
  { specs, format }: { specs: readonly TaskSpecInput[]; format: Format },
): Promise<void> {
  const answers: unknown[] = [];
  for (const body of specs) {
    const request = { method: 'POST', path: '/tasks', query: { dryRun: 'true' }, body } as const;
    answers.push(await api.json(request, cli.signal));
  }
  const told = () => answers.map((answer) => read(dryRunSchema, answer));
  await print(cli, format, {
    value: answers.length === 1 ? answers[0] : answers,
    table: () => told().map((one) => dryRunText(one, createStyle(cli.stdout, cli.env))).join('\n'),
    name: () => told().map(({ startsNow }) => startsNow?.node ?? ''),
  });
}
