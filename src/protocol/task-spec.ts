import * as v from 'valibot';
import { labelExpression } from './label-expression.ts';
import { byteSize, dictionary, duration, labels, name, strict, text, timestamp } from './schema.ts';
import { target } from './target.ts';
import { arrayRange } from './task-array.ts';
import { taskCapabilities, taskDevices, taskMounts } from './task-mount.ts';
import { taskResources } from './task-resources.ts';
import { taskRetry } from './task-retry.ts';

/** Admin-set classes come later; these three are always there. Higher goes first. */
export const priorityClasses = { urgent: 30, normal: 20, batch: 10 } as const;
export type PriorityClass = keyof typeof priorityClasses;
const priorityNames = Object.keys(priorityClasses) as [PriorityClass, ...PriorityClass[]];

export const priorityClass = v.picklist(priorityNames, `must be one of ${priorityNames.join(', ')}`);

export const signals = ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGQUIT', 'SIGUSR1', 'SIGUSR2', 'SIGKILL'] as const;
export type Signal = (typeof signals)[number];

/** `NVIDIA_*` and `WEIR_*` are set by Weir; `LD_*` would change the engine's own helpers. */
const envKey = v.pipe(
  v.string(),
  v.regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'a variable is letters, digits and "_", not beginning with a digit'),
  v.check((key) => !/^(WEIR_|NVIDIA_)/.test(key), 'variables that begin with WEIR_ or NVIDIA_ are set by Weir'),
);

export const env = v.pipe(
  dictionary(envKey, text(131_072)),
  v.check((all) => Object.keys(all).length <= 1024, 'at most 1,024 variables'),
);

/** An image reference as the engine takes it: no scheme, no address literal as a registry. */
export const imageReference = v.pipe(
  text(255),
  v.regex(
    /^(?:[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?(?::\d+)?\/)?[a-z0-9]+(?:[._/-]+[a-z0-9]+)*(?::[A-Za-z0-9_][A-Za-z0-9_.-]{0,127})?(?:@sha256:[a-f0-9]{64})?$/,
    'must be an image reference such as "debian:12" or "ghcr.io/team/tool:1.2"',
  ),
  v.check((value) => !/^(?:\d{1,3}\.){3}\d{1,3}[:/]/.test(value), 'a registry is named, not given as an address'),
);

/** `env:NAME[@version]` names an environment of the catalogue; an image of that name is never looked up elsewhere. */
const imageOrEnvironment = v.union([
  v.pipe(v.string(), v.regex(/^env:[a-z0-9][a-z0-9._-]{0,62}(?:@[A-Za-z0-9._-]{1,64})?$/)),
  imageReference,
]);

/** `overlay` comes with the overlay. */
const networks = ['bridge', 'none', 'host'] as const;

const placement = strict({
  /** A node's id or name. */
  node: v.optional(v.nullable(name), null),
  labels: v.optional(labels, {}),
  /** Conditions on labels, besides `labels`. */
  expression: v.optional(labelExpression),
  /** Short form, resolved at acceptance into `node`, `resources.numaNode` and `resources.gpus`. */
  target: v.optional(target),
});

/** As much as engine and pipes hold however little of it is read: a Runner that dies tears nothing off. */
const mostInputBytes = 262_144;
const inputText = v.pipe(
  text(mostInputBytes),
  v.check((value) => new TextEncoder().encode(value).length <= mostInputBytes, 'at most 256 KiB as UTF-8'),
);

const longestMs = 10 * 365 * 86_400_000;

/** `null`: none. */
export const timeLimit = v.nullable(
  v.pipe(duration, v.minValue(1, 'must be longer than 0'), v.maxValue(longestMs, 'at most ten years')),
);

const fields = strict({
  name: v.optional(name),
  /** Without one, the operator's default image. */
  image: v.optional(imageOrEnvironment),
  command: v.optional(v.pipe(v.array(text(131_072)), v.minLength(1), v.maxLength(4096))),
  shell: v.optional(v.pipe(text(131_072), v.minLength(1))),
  env: v.optional(env, {}),
  workdir: v.optional(v.pipe(text(4096), v.startsWith('/', 'must be an absolute path'))),
  user: v.optional(
    v.pipe(
      text(64),
      v.regex(/^[A-Za-z0-9_][A-Za-z0-9_.-]*(?::[A-Za-z0-9_][A-Za-z0-9_.-]*)?$/, 'must be "user" or "user:group"'),
    ),
  ),
  resources: v.optional(taskResources, {}),
  placement: v.optional(placement, {}),
  priority: v.optional(priorityClass, 'normal'),
  timeLimit: v.optional(timeLimit, null),
  stopSignal: v.optional(v.picklist(signals, `must be one of ${signals.join(', ')}`), 'SIGTERM'),
  stopGrace: v.optional(v.pipe(duration, v.maxValue(3_600_000, 'at most one hour')), 10_000),
  labels: v.optional(labels, {}),
  /** Whom the task belongs to; by default who submits it. */
  owner: v.optional(name),
  /** Text that the process reads; without it, its input is empty. */
  stdin: v.optional(inputText),
  mounts: v.optional(taskMounts),
  /** Added to the default ones; the node's file must allow them. */
  capabilities: v.optional(taskCapabilities),
  devices: v.optional(taskDevices),
  privileged: v.optional(v.boolean()),
  /** `none`: no network at all. `host`: the node's own, where its file allows it. */
  network: v.optional(v.picklist(networks, `must be one of ${networks.join(', ')}`)),
  retry: v.optional(v.nullable(taskRetry)),
  /** What happens when its node stays away: `wait` for it, or `requeue` when the lease is over. */
  onNodeLoss: v.optional(v.picklist(['wait', 'requeue'], 'must be wait or requeue')),
  /** With `requeue`: a Runner that has not heard of the Host for so long stops the task by itself. */
  nodeLossLease: v.optional(v.pipe(duration, v.minValue(120_000, 'at least 2m'), v.maxValue(longestMs))),
  array: v.optional(arrayRange),
  /** Most bytes of output that are kept. */
  logCap: v.optional(v.pipe(byteSize, v.minValue(4096, 'at least 4 KiB'))),
  /** Does not start before. */
  notBefore: v.optional(timestamp),
  /** Waits for a release. */
  hold: v.optional(v.boolean()),
});

/** What a caller submits. An unknown field is refused by its path. Sizes in bytes and durations in ms inside. */
export const taskSpecSchema = v.pipe(
  fields,
  v.forward(
    v.partialCheck(
      [['command'], ['shell']],
      (spec) => spec.command === undefined || spec.shell === undefined,
      'give either "command" or "shell", not both',
    ),
    ['shell'],
  ),
  v.forward(
    v.partialCheck(
      [
        ['placement', 'node'],
        ['placement', 'target'],
      ],
      ({ placement: { node, target: short } }) => node === null || short === undefined,
      'give either "node" or "target", not both',
    ),
    ['placement', 'target'],
  ),
  v.forward(
    v.partialCheck(
      [['onNodeLoss'], ['nodeLossLease']],
      (spec) => spec.nodeLossLease === undefined || spec.onNodeLoss === 'requeue',
      'only with "onNodeLoss": "requeue"',
    ),
    ['nodeLossLease'],
  ),
);

export type TaskSpecInput = v.InferInput<typeof taskSpecSchema>;
/** A spec as it is stored and shown: every default filled in, sizes in bytes, durations in milliseconds. */
export type TaskSpec = v.InferOutput<typeof taskSpecSchema>;

/** A spec that was accepted: the image is named, `placement.target` is resolved. */
export type StoredTaskSpec = TaskSpec & { image: string };

/** What the process is given as argv; `null` means the image's own command. A shell text is one `sh -c`. */
export function taskArgv(spec: Pick<TaskSpec, 'command' | 'shell'>): readonly string[] | null {
  if (spec.shell !== undefined) return ['/bin/sh', '-c', spec.shell];
  return spec.command ?? null;
}

/** Cores as the scheduler counts them. */
export function cpuMilli(spec: Pick<TaskSpec, 'resources'>): number {
  return Math.round(spec.resources.cpus * 1000);
}
