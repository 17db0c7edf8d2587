import { taskStates } from '../../../protocol/task-state.ts';
import { taskViewSchema } from '../../../protocol/task-view.ts';
import { collect, wholeNumber } from '../../arguments.ts';
import type { Cli } from '../../cli.ts';
import { usageError } from '../../cli-error.ts';
import type { Api } from '../../client/api.ts';
import { connect } from '../../client/connect.ts';
import type { ConnectionFlags } from '../../client/connection.ts';
import { ownerOf } from '../../client/owner.ts';
import { type RawList, readPages } from '../../client/pages.ts';
import { read } from '../../client/read.ts';
import { clientCommand, examples, outputOption, watchOption } from '../../command.ts';
import { showOrWatch } from '../../follow/watch.ts';
import type { Format } from '../../output/print.ts';
import { lookOf } from '../../output/style.ts';
import { taskTable, wideTaskTable } from '../../output/task-text.ts';

export function taskList(cli: Cli) {
  const command = clientCommand(cli, 'list')
    .description('List tasks, the newest first; an array is one of them, unless its members are asked for.')
    .option('--state <state>', 'only in this state (repeat)', collect)
    .option('--node <node>', 'only on this node')
    .option('-l, --label <key=value>', 'only with this label (repeat)', collect)
    .option('--name <name>', 'only with this name')
    .option('--owner <owner>', 'only of this owner; `me` is whose token it is')
    .option('--batch <batch>', 'only of this batch')
    .option('--array <task>', 'the members of this array')
    .option('--members', 'behind each array its members')
    .option('--limit <count>', 'how many at once', wholeNumber)
    .option('--cursor <cursor>', 'go on behind the page that ended with it')
    .option('--all', 'all pages')
    .addOption(outputOption())
    .addOption(watchOption())
    .action((flags) => list(cli, flags));
  examples(command, [
    'weir task list',
    'weir task list --state queued --state running -l project=atlas',
    'weir task list --owner me -o wide --watch',
    'weir task list --array t5 --state failed',
    'weir task list --state failed --all -o json',
  ]);
  return command;
}

interface ListFlags extends ConnectionFlags {
  state?: string[] | undefined;
  node?: string | undefined;
  label?: string[] | undefined;
  name?: string | undefined;
  owner?: string | undefined;
  batch?: string | undefined;
  array?: string | undefined;
  members?: true | undefined;
  limit?: number | undefined;
  cursor?: string | undefined;
  all?: true | undefined;
  output: Format;
  watch?: true | undefined;
}

async function list(cli: Cli, flags: ListFlags): Promise<void> {
  checkStates(flags.state ?? []);
  const api = await connect(cli, flags);
  const { state, node, label, name, batch, array, limit, cursor } = flags;
  const owner = await ownerOf(api, flags.owner, cli.signal);
  const query = { state: state?.join(','), node, label, name, owner, batch, array, limit, cursor };
  const wanted = { query, pages: flags.all ? 'all' : 'one', members: flags.members } as const;
  const last: { cursor: string | null } = { cursor: null };
  const readList = async (signal: AbortSignal) => {
    const page = await readTasks(api, wanted, signal);
    last.cursor = page.cursor;
    return formsOf(cli, page);
  };
  const events = { type: 'task.*' };
  await showOrWatch(cli, { api, format: flags.output, events, read: readList }, flags.watch);
  if (last.cursor !== null && !flags.watch) cli.stderr.write(`There are more: add --all, or --cursor ${last.cursor}\n`);
}

function formsOf(cli: Cli, list: RawList) {
  const views = () => list.items.map((item) => read(taskViewSchema, item));
  return {
    value: list,
    table: () => taskTable(views(), lookOf(cli)),
    wide: () => wideTaskTable(views(), lookOf(cli)),
    name: () => views().map(({ id }) => id),
  };
}

interface Wanted {
  query: Readonly<Record<string, string | number | readonly string[] | undefined>>;
  pages: 'one' | 'all';
  members: true | undefined;
}

async function readTasks(api: Api, { query, pages, members }: Wanted, signal: AbortSignal): Promise<RawList> {
  const list = await readPages(api, { path: '/tasks', query, pages }, signal);
  if (!members) return list;
  const items: unknown[] = [];
  for (const item of list.items) {
    items.push(item);
    const view = read(taskViewSchema, item);
    if (!view.members) continue;
    const below = { state: query['state'], array: view.id, limit: 1000 };
    items.push(...(await readPages(api, { path: '/tasks', query: below, pages: 'all' }, signal)).items);
  }
  return { ...list, items };
}

function checkStates(states: readonly string[]): void {
  const known: readonly string[] = taskStates;
  const wrong = states.find((state) => !known.includes(state));
  if (wrong !== undefined) throw usageError(`there is no state "${wrong}"`, `the states are ${taskStates.join(', ')}`);
}
