import * as v from 'valibot';
import { byteSize, dictionary, strict, text, wholeNumber } from './schema.ts';

const cpus = v.pipe(
  v.number(),
  v.minValue(0, 'must not be negative'),
  v.maxValue(4096, 'no machine has more than 4,096 cores'),
  v.check((value) => Math.abs(value * 1000 - Math.round(value * 1000)) < 1e-6, 'at most three decimals'),
);

const gpuUuid = v.pipe(
  v.string(),
  v.regex(/^(?:GPU|MIG)-[A-Za-z0-9-]{1,80}$/, 'must be a GPU\'s UUID such as "GPU-5a3f…"'),
);

const gpus = v.pipe(
  strict({
    count: v.optional(v.pipe(v.number(), v.safeInteger(), v.minValue(1), v.maxValue(64))),
    uuids: v.optional(v.pipe(v.array(gpuUuid), v.minLength(1), v.maxLength(64))),
    /** Glob on the model's name, such as `*A100*`; letter case does not matter. */
    model: v.optional(v.pipe(text(64), v.minLength(1))),
    /** Least memory of each GPU. */
    minMemory: v.optional(byteSize),
  }),
  v.check((all) => (all.count === undefined) !== (all.uuids === undefined), 'give either "count" or "uuids"'),
  v.check(
    (all) => all.uuids === undefined || (all.model === undefined && all.minMemory === undefined),
    '"model" and "minMemory" choose among GPUs: "uuids" has chosen',
  ),
  v.check((all) => new Set(all.uuids).size === (all.uuids?.length ?? 0), 'a UUID is named twice'),
);

const atLeastSixMiB = v.check<number, string>(
  (bytes) => bytes === 0 || bytes >= 6 * 1024 * 1024,
  'must be 0 (no limit is reserved) or at least 6 MiB, the least that the engine takes',
);
const noMoreThanAnyMachine = v.maxValue<number, number, string>(2 ** 50, 'no machine has more than 1 PiB');

const ulimitNames = [
  'nofile',
  'nproc',
  'memlock',
  'stack',
  'fsize',
  'cpu',
  'as',
  'core',
  'rtprio',
  'sigpending',
] as const;
const unlimitedOr = v.union([wholeNumber, v.literal(-1)], 'must be a whole number, or -1 for no limit');
const ulimit = v.pipe(
  strict({ soft: unlimitedOr, hard: unlimitedOr }),
  v.check(({ soft, hard }) => hard === -1 || (soft !== -1 && soft <= hard), 'the soft limit is above the hard one'),
);

/** Sizes in bytes. What is not given is the node's default. */
export const taskResources = strict({
  /** Cores that are reserved. */
  cpus: v.optional(cpus, 1),
  /** `hard`: never more than `cpus`. `burst`: `cpus` is a weight that may be 0, idle cores may be used. */
  cpuLimit: v.optional(v.picklist(['hard', 'burst'], 'must be hard or burst'), 'hard'),
  memory: v.optional(v.pipe(byteSize, atLeastSixMiB, noMoreThanAnyMachine), 512 * 1024 * 1024),
  gpus: v.optional(v.nullable(gpus), null),
  /** Cores and memory of this NUMA node alone. */
  numaNode: v.optional(v.nullable(v.pipe(wholeNumber, v.maxValue(1023)))),
  /** Of /dev/shm. */
  shmSize: v.optional(v.nullable(v.pipe(byteSize, v.minValue(65_536, 'at least 64 KiB'), noMoreThanAnyMachine))),
  pidsLimit: v.optional(v.nullable(v.pipe(wholeNumber, v.minValue(1), v.maxValue(4_194_304)))),
  ulimits: v.optional(dictionary(v.picklist(ulimitNames, `must be one of ${ulimitNames.join(', ')}`), ulimit)),
  /** Of the container's writable layer, where the node's storage driver can. */
  diskLimit: v.optional(v.nullable(v.pipe(byteSize, v.minValue(16 * 1024 * 1024, 'at least 16 MiB')))),
});

export type TaskResources = v.InferOutput<typeof taskResources>;
