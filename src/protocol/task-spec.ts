import * as v from 'valibot';
import { byteSize, dictionary, duration, labels, name, strict } from './schema.ts';

const nul = String.fromCharCode(0);
const text = (most: number): v.GenericSchema<string> =>
  v.pipe(
    v.string(),
    v.maxLength(most, `at most ${most} characters`),
    v.check((value) => !value.includes(nul), 'must not contain a NUL character'),
  );

/** Admin-set classes come later; these three are always there. Higher goes first. */
export const priorityClasses = { urgent: 30, normal: 20, batch: 10 } as const;
export type PriorityClass = keyof typeof priorityClasses;
const priorityNames = Object.keys(priorityClasses) as [PriorityClass, ...PriorityClass[]];

export const signals = [
  'SIGTERM',
  'SIGINT',
  'SIGHUP',
  'SIGQUIT',
  'SIGUSR1',
  'SIGUSR2',
  'SIGKILL',
] as const;
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
  v.check(
    (value) => !/^(?:\d{1,3}\.){3}\d{1,3}[:/]/.test(value),
    'a registry is named, not given as an address',
  ),
);

const cpus = v.pipe(
  v.number(),
  v.minValue(0, 'must not be negative'),
  v.maxValue(4096, 'no machine has more than 4,096 cores'),
  v.check((value) => Math.abs(value * 1000 - Math.round(value * 1000)) < 1e-6, 'at most three decimals'),
);

const gpuUuid = v.pipe(v.string(), v.regex(/^(?:GPU|MIG)-[A-Za-z0-9-]{1,80}$/, 'must be a GPU\'s UUID such as "GPU-5a3f…"'));

const gpus = v.pipe(
  strict({
    count: v.optional(v.pipe(v.number(), v.safeInteger(), v.minValue(1), v.maxValue(64))),
    uuids: v.optional(v.pipe(v.array(gpuUuid), v.minLength(1), v.maxLength(64))),
  }),
  v.check((all) => (all.count === undefined) !== (all.uuids === undefined), 'give either "count" or "uuids"'),
  v.check((all) => new Set(all.uuids).size === (all.uuids?.length ?? 0), 'a UUID is named twice'),
);

const atLeastFourMiB = v.check<number, string>(
  (bytes) => bytes === 0 || bytes >= 4 * 1024 * 1024,
  'must be 0 (no limit is reserved) or at least 4 MiB, which a container needs to start',
);
const noMoreThanAnyMachine = v.maxValue<number, number, string>(2 ** 50, 'no machine has more than 1 PiB');

const resources = strict({
  cpus: v.optional(cpus, 1),
  memory: v.optional(v.pipe(byteSize, atLeastFourMiB, noMoreThanAnyMachine), 512 * 1024 * 1024),
  gpus: v.optional(v.nullable(gpus), null),
});

const placement = strict({
  /** A node's id or name. */
  node: v.optional(v.nullable(name), null),
  labels: v.optional(labels, {}),
});

const longestMs = 10 * 365 * 86_400_000;

const fields = strict({
  name: v.optional(name),
  image: imageReference,
  command: v.optional(v.pipe(v.array(text(131_072)), v.minLength(1), v.maxLength(4096))),
  shell: v.optional(v.pipe(text(131_072), v.minLength(1))),
  env: v.optional(env, {}),
  workdir: v.optional(v.pipe(text(4096), v.startsWith('/', 'must be an absolute path'))),
  user: v.optional(
    v.pipe(text(64), v.regex(/^[A-Za-z0-9_][A-Za-z0-9_.-]*(?::[A-Za-z0-9_][A-Za-z0-9_.-]*)?$/, 'must be "user" or "user:group"')),
  ),
  resources: v.optional(resources, {}),
  placement: v.optional(placement, {}),
  priority: v.optional(v.picklist(priorityNames, `must be one of ${priorityNames.join(', ')}`), 'normal'),
  timeLimit: v.optional(
    v.nullable(v.pipe(duration, v.minValue(1, 'must be longer than 0'), v.maxValue(longestMs, 'at most ten years'))),
    null,
  ),
  stopSignal: v.optional(v.picklist(signals, `must be one of ${signals.join(', ')}`), 'SIGTERM'),
  stopGrace: v.optional(v.pipe(duration, v.maxValue(3_600_000, 'at most one hour')), 10_000),
  labels: v.optional(labels, {}),
  /** Whom the task belongs to; by default who submits it. */
  owner: v.optional(name),
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
);

export type TaskSpecInput = v.InferInput<typeof taskSpecSchema>;
/** A spec as it is stored and shown: every default filled in, sizes in bytes, durations in milliseconds. */
export type TaskSpec = v.InferOutput<typeof taskSpecSchema>;

/** What the process is given as argv; `null` means the image's own command. A shell text is one `sh -c`. */
export function taskArgv(spec: Pick<TaskSpec, 'command' | 'shell'>): readonly string[] | null {
  if (spec.shell !== undefined) return ['/bin/sh', '-c', spec.shell];
  return spec.command ?? null;
}

/** Cores as the scheduler counts them. */
export function cpuMilli(spec: Pick<TaskSpec, 'resources'>): number {
  return Math.round(spec.resources.cpus * 1000);
}
