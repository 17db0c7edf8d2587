import type { TaskRetry } from '../../protocol/task-retry.ts';
import type { PriorityClass, Signal, TaskSpecInput } from '../../protocol/task-spec.ts';
import { pairs } from '../arguments.ts';
import type { Cli } from '../cli.ts';
import { usageError } from '../cli-error.ts';
import { capabilityOf, failureClassesOf, gpusOf, mountOf, notBeforeOf, ulimitsOf } from './values.ts';

type Maybe<T> = { [K in keyof T]?: T[K] | undefined };

/** What the options of a spec hold when they were parsed. */
export type SpecFlags = Maybe<{
  image: string;
  shell: string;
  stdin: string;
  name: string;
  env: string[];
  workdir: string;
  user: string;
  label: string[];
  owner: string;
  cpus: number;
  cpuLimit: 'hard' | 'burst';
  memory: string;
  gpus: string;
  gpuModel: string;
  gpuMemory: string;
  numa: number;
  shm: string;
  pids: number;
  ulimit: string[];
  disk: string;
  node: string;
  nodeLabel: string[];
  where: string;
  target: string[];
  mount: string[];
  capAdd: string[];
  device: string[];
  privileged: true;
  network: 'bridge' | 'none' | 'host';
  priority: PriorityClass;
  timeLimit: string;
  stopSignal: Signal;
  stopGrace: string;
  retries: number;
  retryOn: string;
  retryBackoff: string;
  onNodeLoss: 'wait' | 'requeue';
  lease: string;
  array: string;
  logCap: string;
  notBefore: string;
  hold: true;
}>;

export interface Around {
  env: Cli['env'];
  nowMs: number;
  /** The text that `--stdin` names. */
  stdin?: string | undefined;
}

/**
 * The specs that the flags ask for: one, or one for each `--target`. What was not given is left to the Host's defaults.
 * @throws CliError when a value is not of its form, or a command and a shell text are given.
 */
export function specsFromFlags(
  flags: SpecFlags,
  command: readonly string[],
  around: Around,
): [TaskSpecInput, ...TaskSpecInput[]] {
  const { target: targets = [] } = flags;
  const [first, ...more] = targets;
  const one = (target: string | undefined): TaskSpecInput => ({
    ...workOf(flags, command, around),
    ...courseOf(flags, around),
    ...given({
      resources: orNothing(resourcesOf(flags)),
      placement: orNothing(placementOf(flags, target)),
    }),
  });
  return [one(first), ...more.map(one)];
}

function workOf(flags: SpecFlags, command: readonly string[], { env, stdin }: Around) {
  if (flags.shell !== undefined && command.length > 0)
    throw usageError('there is a command and a --shell text', 'give one of them');
  return given({
    image: flags.image,
    command: command.length > 0 ? [...command] : undefined,
    shell: flags.shell,
    stdin,
    name: flags.name,
    env: flags.env && variables(flags.env, env),
    workdir: flags.workdir,
    user: flags.user,
    labels: flags.label && pairs(flags.label, '--label'),
    owner: flags.owner,
    mounts: flags.mount?.map(mountOf),
    capabilities: flags.capAdd?.map(capabilityOf),
    devices: flags.device,
    privileged: flags.privileged,
    network: flags.network,
  });
}

function resourcesOf(flags: SpecFlags) {
  return given({
    cpus: flags.cpus,
    cpuLimit: flags.cpuLimit,
    memory: flags.memory,
    gpus: gpusOf(flags),
    numaNode: flags.numa,
    shmSize: flags.shm,
    pidsLimit: flags.pids,
    ulimits: flags.ulimit && ulimitsOf(flags.ulimit),
    diskLimit: flags.disk,
  });
}

function placementOf(flags: SpecFlags, target: string | undefined) {
  return given({
    node: flags.node,
    labels: flags.nodeLabel && pairs(flags.nodeLabel, '--node-label'),
    expression: flags.where,
    target,
  });
}

function courseOf(flags: SpecFlags, { nowMs }: Around) {
  const retry = given({
    limit: flags.retries,
    on: flags.retryOn === undefined ? undefined : failureClassesOf(flags.retryOn),
    backoff: flags.retryBackoff,
  } satisfies Maybe<Record<keyof TaskRetry, unknown>>);
  return given({
    priority: flags.priority,
    timeLimit: flags.timeLimit,
    stopSignal: flags.stopSignal,
    stopGrace: flags.stopGrace,
    retry: orNothing(retry),
    onNodeLoss: flags.onNodeLoss,
    nodeLossLease: flags.lease,
    array: flags.array,
    logCap: flags.logCap,
    notBefore: flags.notBefore === undefined ? undefined : notBeforeOf(flags.notBefore, nowMs),
    hold: flags.hold,
  });
}

type Given<T> = { [K in keyof T as undefined extends T[K] ? never : K]: T[K] } & {
  [K in keyof T as undefined extends T[K] ? K : never]?: Exclude<T[K], undefined>;
};

/** Without the fields that are `undefined`. */
function given<T extends object>(fields: T): Given<T> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Given<T>;
}

const orNothing = <T extends object>(fields: T): T | undefined => (Object.keys(fields).length > 0 ? fields : undefined);

function variables(texts: readonly string[], env: Cli['env']): Record<string, string> {
  const full = texts.map((text) => {
    if (text.includes('=')) return text;
    const value = env[text];
    if (value === undefined) throw usageError(`--env ${text}: there is no such variable here`, 'write it as KEY=VALUE');
    return `${text}=${value}`;
  });
  return pairs(full, '--env');
}
