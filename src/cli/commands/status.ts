import { formatDuration } from '../../lib/duration.ts';
import type { Cli } from '../cli.ts';
import { connect } from '../client/connect.ts';
import { clientCommand, examples, outputOption } from '../command.ts';
import { print } from '../output/print.ts';
import { sheet } from '../output/table.ts';

export function status(cli: Cli) {
  const command = clientCommand(cli, 'status')
    .description(
      'Show how the cluster is: tasks and nodes by state, and how long the queue has waited.',
    )
    .addOption(outputOption())
    .action(async (flags) => {
      const api = await connect(cli, flags);
      const answer = await api.json({ path: '/status' }, cli.signal);
      await print(cli, flags.output, {
        value: answer,
        table: () => statusSheet(fields(answer)),
        name: () => [textOf(fields(answer)['cluster']) ?? ''],
      });
    });
  examples(command, ['weir status', 'weir status -o json']);
  return command;
}

const fields = (value: unknown): Record<string, unknown> =>
  typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};

const textOf = (value: unknown): string | null =>
  typeof value === 'string' || typeof value === 'number' ? String(value) : null;

function counts(value: unknown): string {
  const there = Object.entries(fields(value)).filter(
    ([, count]) => typeof count === 'number' && count > 0,
  );
  return there.map(([state, count]) => `${String(count)} ${state}`).join(', ') || 'none';
}

function statusSheet(told: Record<string, unknown>): string {
  const oldestSeconds = fields(told['queue'])['oldestSeconds'];
  return sheet([
    ['cluster', textOf(told['cluster'])],
    ['version', textOf(told['version'])],
    ['epoch', textOf(told['epoch'])],
    ['nodes', counts(told['nodes'])],
    ['tasks', counts(told['tasks'])],
    [
      'queue',
      typeof oldestSeconds === 'number' && oldestSeconds > 0
        ? `the first has waited ${formatDuration(oldestSeconds * 1000)}`
        : null,
    ],
  ]);
}
