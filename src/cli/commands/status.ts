import { nodeViewSchema } from '../../protocol/node-view.ts';
import { endedStates, taskStates } from '../../protocol/task-state.ts';
import { taskViewSchema } from '../../protocol/task-view.ts';
import type { Cli } from '../cli.ts';
import { CliError } from '../cli-error.ts';
import type { Api } from '../client/api.ts';
import { connect } from '../client/connect.ts';
import { readPages } from '../client/pages.ts';
import { read } from '../client/read.ts';
import { clientCommand, examples, outputOption, watchOption } from '../command.ts';
import { showOrWatch } from '../follow/watch.ts';
import { lookOf } from '../output/style.ts';
import { statusText } from '../output/status-text.ts';
import { overviewOf } from '../overview.ts';

export function status(cli: Cli) {
  const command = clientCommand(cli, 'status')
    .description(
      'Show the cluster in one screen: what is promised of each node, what waits and why, whose work runs, and what somebody should look at.',
    )
    .addOption(outputOption())
    .addOption(watchOption())
    .action(async (flags) => {
      const api = await connect(cli, flags);
      const readStatus = async (signal: AbortSignal) => {
        const answer = fields(await api.json({ path: '/status' }, signal));
        const overview = overviewOf(await readNodes(api, signal), await readTasks(api, signal));
        const told = {
          cluster: textOf(answer['cluster']),
          version: textOf(answer['version']),
          epoch: textOf(answer['epoch']),
          nodes: countsOf(answer['nodes']),
          tasks: countsOf(answer['tasks']),
        };
        const { nodes, queue, running, attention } = overview;
        return {
          value: { ...answer, overview: { nodes, queue, running, attention } },
          table: () => statusText(told, overview, lookOf(cli)),
          name: () => [told.cluster ?? ''],
        };
      };
      await showOrWatch(cli, { api, format: flags.output, events: {}, read: readStatus }, flags.watch);
    });
  examples(command, ['weir status', 'weir status --watch', 'weir status -o json']);
  return command;
}

/** A token may see tasks and not nodes: then there are none to show. */
async function readNodes(api: Api, signal: AbortSignal) {
  try {
    const { items } = await readPages(api, { path: '/nodes', pages: 'all' }, signal);
    return items.map((item) => read(nodeViewSchema, item));
  } catch (error) {
    if (error instanceof CliError && error.details.code === 'forbidden') return [];
    throw error;
  }
}

const ended: readonly string[] = endedStates;
const living = taskStates.filter((state) => !ended.includes(state)).join(',');

async function readTasks(api: Api, signal: AbortSignal) {
  const query = { state: living, limit: 1000 };
  const { items } = await readPages(api, { path: '/tasks', query, pages: 'all' }, signal);
  return items.map((item) => read(taskViewSchema, item));
}

const fields = (value: unknown): Record<string, unknown> =>
  typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};

const textOf = (value: unknown): string | null =>
  typeof value === 'string' || typeof value === 'number' ? String(value) : null;

const countsOf = (value: unknown): Record<string, number> =>
  Object.fromEntries(
    Object.entries(fields(value)).filter((entry): entry is [string, number] => typeof entry[1] === 'number'),
  );
