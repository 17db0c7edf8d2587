import { Option } from '@commander-js/extra-typings';
import { taskStates, type TaskState } from '../protocol/task-state.ts';
import { collect, pairs } from './arguments.ts';
import type { Cli } from './cli.ts';
import { usageError } from './cli-error.ts';
import { clientCommand, outputOption } from './command.ts';

/** A command that does something to tasks: those that are named, or all that have something in common. */
export function selectionCommand(cli: Cli, name: string) {
  return clientCommand(cli, name)
    .option('--batch <batch>', 'all of this batch')
    .option('-l, --label <key=value>', 'all with this label (repeat)', collect)
    .addOption(
      new Option('--state <state>', 'all in this state (repeat)')
        .choices(taskStates)
        .argParser<TaskState[]>((value, before) => collect(stateOf(value), before) as TaskState[]),
    )
    .addOption(outputOption());
}

export const tasksArgument = ['[task...]', 'ids, beginnings of ids, or names; t5.3 is a member of t5'] as const;

export interface SelectionFlags {
  batch?: string | undefined;
  label?: string[] | undefined;
  state?: TaskState[] | undefined;
}

/** Which tasks are meant, as the API takes it. */
export type Selection =
  | { ids: readonly string[] }
  | { batch?: string; labels?: Record<string, string>; states?: readonly TaskState[] };

/** @throws CliError when nothing is named, or ids and something in common at once */
export function selectionOf(ids: readonly string[], { batch, label, state }: SelectionFlags): Selection {
  const common = {
    ...(batch === undefined ? {} : { batch }),
    ...(label === undefined ? {} : { labels: pairs(label, '--label') }),
    ...(state === undefined ? {} : { states: state }),
  };
  const none = Object.keys(common).length === 0;
  if (ids.length > 0 && !none)
    throw usageError('tasks are named, and chosen by --batch, --label or --state', 'give one of the two');
  if (ids.length === 0 && none)
    throw usageError('no task is named', 'name tasks, or choose them by --batch, --label or --state');
  return ids.length > 0 ? { ids } : common;
}

function stateOf(text: string): TaskState {
  const state = taskStates.find((one) => one === text);
  if (state !== undefined) return state;
  throw usageError(`there is no state "${text}"`, `the states are ${taskStates.join(', ')}`);
}
