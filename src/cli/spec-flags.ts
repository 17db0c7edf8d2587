import { Option } from '@commander-js/extra-typings';
import type { TaskSpecInput } from '../protocol/task-spec.ts';
import { priorityClasses, signals } from '../protocol/task-spec.ts';
import type { PriorityClass, Signal } from '../protocol/task-spec.ts';
import { collect, decimal, pairs } from './arguments.ts';
import type { Cli } from './cli.ts';
import { usageError } from './cli-error.ts';
import { clientCommand } from './command.ts';

const priorities = Object.keys(priorityClasses) as [PriorityClass, ...PriorityClass[]];

/** A command with every field of a task spec as an option: `weir run` and `weir task submit`. */
export function specCommand(cli: Cli, name: string) {
  return clientCommand(cli, name)
    .option('--image <image>', 'container image')
    .option('--shell <text>', 'run this text by /bin/sh instead of a command')
    .option('--name <name>', 'name of the task')
    .option('--cpus <number>', 'cores, such as 0.5', decimal)
    .option('--memory <size>', 'memory, such as 512MiB')
    .option('--gpus <count>', 'how many GPUs, or their UUIDs with commas between')
    .option(
      '-e, --env <key=value>',
      'set a variable (repeat); KEY alone takes it from here',
      collect,
    )
    .option('-w, --workdir <path>', 'folder to start in')
    .option('--user <user>', 'user, or user:group, inside the container')
    .option('--node <node>', 'only on this node')
    .option('--node-label <key=value>', 'only on nodes with this label (repeat)', collect)
    .option('-l, --label <key=value>', 'label of the task (repeat)', collect)
    .option('--owner <name>', 'whom the task belongs to')
    .addOption(new Option('--priority <class>', 'priority class').choices(priorities))
    .option('--time-limit <duration>', 'stop it after this time, such as 2h')
    .addOption(new Option('--stop-signal <signal>', 'how to ask it to stop').choices(signals))
    .option('--stop-grace <duration>', 'how long it may take to stop')
    .option('--strict', 'refuse a task that no node could ever run');
}

export interface SpecFlags {
  image?: string | undefined;
  shell?: string | undefined;
  name?: string | undefined;
  cpus?: number | undefined;
  memory?: string | undefined;
  gpus?: string | undefined;
  env?: string[] | undefined;
  workdir?: string | undefined;
  user?: string | undefined;
  node?: string | undefined;
  nodeLabel?: string[] | undefined;
  label?: string[] | undefined;
  owner?: string | undefined;
  priority?: PriorityClass | undefined;
  timeLimit?: string | undefined;
  stopSignal?: Signal | undefined;
  stopGrace?: string | undefined;
}

/**
 * The spec that the flags ask for; what was not given is left to the Host's defaults.
 * @throws CliError when the image is missing, or a command and a shell text are given.
 */
export function specFromFlags(
  flags: SpecFlags,
  command: readonly string[],
  env: Cli['env'],
): TaskSpecInput {
  if (flags.image === undefined)
    throw usageError('a task needs an image', 'give --image, such as --image debian:12');
  if (flags.shell !== undefined && command.length > 0) {
    throw usageError('there is a command and a --shell text', 'give one of them');
  }
  const resources = given({ cpus: flags.cpus, memory: flags.memory, gpus: gpusOf(flags.gpus) });
  const placement = given({
    node: flags.node,
    labels: flags.nodeLabel && pairs(flags.nodeLabel, '--node-label'),
  });
  return given({
    image: flags.image,
    command: command.length > 0 ? [...command] : undefined,
    shell: flags.shell,
    name: flags.name,
    env: flags.env && variables(flags.env, env),
    workdir: flags.workdir,
    user: flags.user,
    resources: Object.keys(resources).length > 0 ? resources : undefined,
    placement: Object.keys(placement).length > 0 ? placement : undefined,
    priority: flags.priority,
    timeLimit: flags.timeLimit,
    stopSignal: flags.stopSignal,
    stopGrace: flags.stopGrace,
    labels: flags.label && pairs(flags.label, '--label'),
    owner: flags.owner,
  });
}

type Given<T> = { [K in keyof T as undefined extends T[K] ? never : K]: T[K] } & {
  [K in keyof T as undefined extends T[K] ? K : never]?: Exclude<T[K], undefined>;
};

/** Without the fields that are `undefined`. */
function given<T extends object>(fields: T): Given<T> {
  return Object.fromEntries(
    Object.entries(fields).filter(([, value]) => value !== undefined),
  ) as Given<T>;
}

function gpusOf(
  text: string | undefined,
): { count: number } | { uuids: string[] } | null | undefined {
  if (text === undefined) return undefined;
  if (text === '0') return null;
  return /^\d+$/.test(text) ? { count: Number(text) } : { uuids: text.split(',') };
}

function variables(texts: readonly string[], env: Cli['env']): Record<string, string> {
  const full = texts.map((text) => {
    if (text.includes('=')) return text;
    const value = env[text];
    if (value === undefined)
      throw usageError(`--env ${text}: there is no such variable here`, 'write it as KEY=VALUE');
    return `${text}=${value}`;
  });
  return pairs(full, '--env');
}
