import type { TaskSpecInput } from '../protocol/task-spec.ts';
import type { DryRun } from '../protocol/task-view.ts';
import type { Cli } from './cli.ts';
import { CliError } from './cli-error.ts';
import type { Api } from './client/api.ts';
import { readPages } from './client/pages.ts';
import { exitCodes } from './exit-codes.ts';
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
  const told = () => answers.map(readDryRun);
  const names = await nodeNames(api, cli.signal);
  const style = createStyle(cli.stdout, cli.env);
  const nameOf = ({ startsNow }: DryRun): string =>
    startsNow === null ? '' : (names.get(startsNow.node) ?? startsNow.node);
  await print(cli, format, {
    value: answers.length === 1 ? answers[0] : answers,
    table: () =>
      told()
        .map((one) => dryRunText(one, nameOf(one), style))
        .join('\n'),
    name: () => told().map(({ startsNow }) => startsNow?.node ?? ''),
  });
}

/** What people call the nodes; nothing where this token may not see them. */
async function nodeNames(api: Api, signal: AbortSignal): Promise<Map<unknown, string>> {
  try {
    const { items } = await readPages(api, { path: '/nodes', pages: 'all' }, signal);
    return new Map(items.filter(isObject).map(({ id, name }) => [id, String(name)]));
  } catch (error) {
    if (error instanceof CliError && error.details.code === 'forbidden') return new Map();
    throw error;
  }
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Looks at what is shown of it alone: a task that is not there has no view to be checked whole. */
function readDryRun(answer: unknown): DryRun {
  if (isObject(answer) && isObject(answer['task']) && isObject(answer['explanation'])) {
    const { task, explanation } = answer;
    const lists = ['nodes', 'ahead', 'wouldHelp'].every((key) => Array.isArray(explanation[key]));
    if (isObject(task['spec']) && lists) return answer as DryRun;
  }
  throw new CliError('the answer is not that of a dry run', {
    exitCode: exitCodes.failure,
    code: 'bad_answer',
    fix: 'use the `weir` of the same version as the Host (`weir version --host`), or -o json',
  });
}
