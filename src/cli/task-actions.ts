import { problemStatus } from '../protocol/problem.ts';
import type { TaskState } from '../protocol/task-state.ts';
import { taskViewSchema } from '../protocol/task-view.ts';
import { printable } from '../lib/text.ts';
import type { Cli } from './cli.ts';
import { CliError, errorLines } from './cli-error.ts';
import { type Api, path } from './client/api.ts';
import { connect } from './client/connect.ts';
import type { ConnectionFlags } from './client/connection.ts';
import { readPages } from './client/pages.ts';
import { read } from './client/read.ts';
import { each } from './each.ts';
import { exitCodeOfStatus, exitCodes } from './exit-codes.ts';
import { type Format, print } from './output/print.ts';
import { lookOf } from './output/style.ts';
import { table } from './output/table.ts';
import { taskTable } from './output/task-text.ts';
import type { Selection } from './selection.ts';

export type ActionVerb = 'kill' | 'pause' | 'resume' | 'retry' | 'hold' | 'release';

interface Action {
  verb: ActionVerb;
  selection: Selection;
  /** What the verb needs besides, such as a message. */
  more?: Readonly<Record<string, unknown>>;
  flags: ConnectionFlags & { output: Format };
}

/** Does a verb to tasks, and tells of each what came of it; the first refusal decides the exit code. */
export async function actOnTasks(cli: Cli, { verb, selection, more = {}, flags }: Action): Promise<void> {
  const api = await connect(cli, flags);
  // One by itself is answered whole, with what would change a refusal.
  if ('ids' in selection && selection.ids.length === 1) {
    const [id = ''] = selection.ids;
    const body = verb === 'kill' ? { body: more } : {};
    const request = { method: 'POST', path: path('tasks', id, verb), ...body } as const;
    await printTasks(cli, flags.output, [await api.json(request, cli.signal)]);
    return;
  }
  const outcomes: Outcome[] = [];
  for (const part of partsOf(selection)) {
    const body = { verb, ...part, ...more };
    const answer = await api.json({ method: 'POST', path: '/tasks/actions', body }, cli.signal);
    outcomes.push(...outcomesOf(answer));
  }
  await report(cli, flags.output, outcomes);
}

interface Change {
  body: Readonly<Record<string, unknown>>;
  selection: Selection;
  flags: ConnectionFlags & { output: Format };
}

/** Changes what tasks ask for, one by one; each failure is told. */
export async function changeTasks(cli: Cli, { body, selection, flags }: Change): Promise<void> {
  const api = await connect(cli, flags);
  const ids = 'ids' in selection ? selection.ids : await idsOf(api, selection, cli.signal);
  if (ids.length === 0) cli.stderr.write('No task fits\n');
  const answers = await each(cli, ids, (id) =>
    api.json({ method: 'PATCH', path: path('tasks', id), body }, cli.signal),
  );
  if (answers.length > 0) await printTasks(cli, flags.output, answers);
}

/** Ids in one request, at most. */
const mostIds = 1000;

function partsOf(selection: Selection): Selection[] {
  if (!('ids' in selection)) return [selection];
  const { ids } = selection;
  return Array.from({ length: Math.ceil(ids.length / mostIds) }, (_, at) => ({
    ids: ids.slice(at * mostIds, (at + 1) * mostIds),
  }));
}

async function idsOf(
  api: Api,
  { batch, labels = {}, states }: Exclude<Selection, { ids: readonly string[] }>,
  signal: AbortSignal,
): Promise<string[]> {
  const label = Object.entries(labels).map(([key, value]) => `${key}=${value}`);
  const query = { batch, label, state: states?.join(','), limit: 1000 };
  const { items } = await readPages(api, { path: '/tasks', query, pages: 'all' }, signal);
  return items.map((item) => read(taskViewSchema, item).id);
}

async function printTasks(cli: Cli, format: Format, answers: readonly unknown[]): Promise<void> {
  const views = () => answers.map((answer) => read(taskViewSchema, answer));
  await print(cli, format, {
    value: answers.length === 1 ? answers[0] : answers,
    table: () => taskTable(views(), lookOf(cli)),
    name: () => views().map(({ id }) => id),
  });
}

interface Outcome {
  id: string;
  state: TaskState | null;
  problem: { code: string; detail: string } | null;
}

function outcomesOf(answer: unknown): Outcome[] {
  if (typeof answer === 'object' && answer !== null && 'items' in answer && Array.isArray(answer.items))
    return answer.items as Outcome[];
  throw new CliError('the answer does not say what came of each', {
    exitCode: exitCodes.failure,
    code: 'bad_answer',
  });
}

async function report(cli: Cli, format: Format, outcomes: readonly Outcome[]): Promise<void> {
  const done = outcomes.filter(({ problem }) => problem === null);
  const problems = outcomes.flatMap(({ problem }) => problem ?? []);
  if (outcomes.length === 0) cli.stderr.write('No task fits\n');
  if (done.length > 0 || format === 'json' || format === 'yaml') {
    await print(cli, format, {
      value: { items: outcomes },
      table: () =>
        table(
          ['ID', 'STATE'],
          done.map(({ id, state }) => [id, state ?? '']),
        ),
      name: () => done.map(({ id }) => printable(id)),
    });
  }
  const [first] = problems;
  for (const { code, detail } of problems)
    for (const line of errorLines(refusal(code, detail))) cli.stderr.write(`${line}\n`);
  if (first) cli.setExitCode(refusal(first.code, first.detail).details.exitCode);
}

function refusal(code: string, detail: string): CliError {
  const status = (problemStatus as Readonly<Record<string, number>>)[code] ?? 400;
  return new CliError(detail, { exitCode: exitCodeOfStatus(status), code });
}
