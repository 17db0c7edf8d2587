import * as v from 'valibot';
import { taskId } from './ids.ts';
import { capacitySchema, loadSchema } from './node-report.ts';
import { lenient, text, wholeNumber } from './schema.ts';
import { endCauses, endSchema } from './task-end.ts';
import { taskMount } from './task-mount.ts';
import { signals } from './task-spec.ts';

const protocolVersion = lenient({ major: wholeNumber, minor: wholeNumber });

/** States that a Runner sees; `ended` comes with its end. */
export const observedStates = ['pulling', 'starting', 'running', 'paused', 'stopping', 'ended'] as const;
export type ObservedState = (typeof observedStates)[number];

/** What a Runner sees of one attempt. `at` and `startedAt` are Host time in ms, as the Runner reckons it. */
export const observationSchema = lenient({
  task: taskId.schema,
  attempt: wholeNumber,
  state: v.picklist(observedStates),
  stuck: v.boolean(),
  /** What a person would like to see while it pulls or starts, such as `3 of 5 layers, 120 of 400 MiB`. */
  progress: v.nullable(v.pipe(v.string(), v.maxLength(255))),
  at: wholeNumber,
  startedAt: v.nullable(wholeNumber),
  end: v.nullable(endSchema),
});
export type Observation = v.InferOutput<typeof observationSchema>;

export const syncRequestSchema = lenient({
  protocol: protocolVersion,
  epoch: wholeNumber,
  /** Nonce of this start of the Runner's process. */
  boot: v.pipe(text(64), v.minLength(8)),
  /** Grows by one for each request of a boot. */
  seq: wholeNumber,
  appliedGeneration: wholeNumber,
  /** Of everything observed that has not ended: see `observedDigest`. */
  digest: v.pipe(v.string(), v.maxLength(64)),
  /** `changes` is all that is observed, not only what changed. */
  full: v.boolean(),
  changes: v.pipe(v.array(observationSchema), v.maxLength(10_000)),
  capacity: v.optional(capacitySchema),
  load: v.optional(loadSchema),
  addresses: lenient({
    api: v.nullable(text(255)),
    data: v.nullable(text(255)),
  }),
  /** How long the Host may hold the call; it never holds longer than its own setting. */
  holdMs: wholeNumber,
});
export type SyncRequest = v.InferOutput<typeof syncRequestSchema>;

/** What a Runner is to run: everything it needs and nothing of other people's. */
export const workloadSpecSchema = lenient({
  name: v.string(),
  owner: v.string(),
  image: v.string(),
  argv: v.nullable(v.array(v.string())),
  env: v.record(v.string(), v.string()),
  workdir: v.nullable(v.string()),
  user: v.nullable(v.string()),
  cpuMilli: wholeNumber,
  memoryBytes: wholeNumber,
  gpuUuids: v.array(v.string()),
  timeLimitMs: v.nullable(wholeNumber),
  stopSignal: v.picklist(signals),
  stopGraceMs: wholeNumber,
  stdin: v.optional(v.string()),
  /** `burst`: `cpuMilli` is a weight, idle cores may be used. */
  cpuLimit: v.optional(v.picklist(['hard', 'burst'])),
  numaNode: v.optional(wholeNumber),
  shmBytes: v.optional(wholeNumber),
  pidsLimit: v.optional(wholeNumber),
  /** −1 is no limit. */
  ulimits: v.optional(v.record(v.string(), lenient({ soft: v.number(), hard: v.number() }))),
  diskBytes: v.optional(wholeNumber),
  mounts: v.optional(v.array(taskMount)),
  capabilities: v.optional(v.array(v.string())),
  devices: v.optional(v.array(v.string())),
  privileged: v.optional(v.boolean()),
  network: v.optional(v.picklist(['bridge', 'none', 'host'])),
  logCapBytes: v.optional(wholeNumber),
  /** A Runner that has not heard of the Host for so long ends it as `node_lost`. */
  leaseMs: v.optional(wholeNumber),
  array: v.optional(lenient({ id: taskId.schema, index: wholeNumber, size: wholeNumber })),
});
export type WorkloadSpec = v.InferOutput<typeof workloadSpecSchema>;

/** Why it is to stop; the end's cause unless the process ended by itself before. */
export const stopOrderSchema = lenient({ cause: v.picklist(endCauses), message: v.string(), kill: v.boolean() });
export type StopOrder = v.InferOutput<typeof stopOrderSchema>;

export const assignmentSchema = lenient({
  task: taskId.schema,
  attempt: wholeNumber,
  /** The node's generation at which this assignment last changed. */
  generation: wholeNumber,
  spec: workloadSpecSchema,
  /** `null`: it is to run. */
  stop: v.nullable(stopOrderSchema),
  /** It is to run, but frozen. */
  paused: v.optional(v.boolean()),
  /** The Host has seen it on the node: one that is neither there nor in the journal has been removed by hand. */
  seen: v.boolean(),
});
export type Assignment = v.InferOutput<typeof assignmentSchema>;

export const desiredSchema = lenient({
  tasks: v.array(assignmentSchema),
  settings: lenient({ syncHoldMs: wholeNumber, orphanGraceMs: wholeNumber }),
});
export type Desired = v.InferOutput<typeof desiredSchema>;

/** `kept`: the report is durable. `superseded`: an older attempt, stop it now. `unknown`: no such attempt here. */
export const verdicts = ['kept', 'superseded', 'unknown'] as const;

export const ackSchema = lenient({
  task: taskId.schema,
  attempt: wholeNumber,
  state: v.picklist(observedStates),
  verdict: v.picklist(verdicts),
});
export type Ack = v.InferOutput<typeof ackSchema>;

export const syncAnswerSchema = lenient({
  epoch: wholeNumber,
  generation: wholeNumber,
  hostTime: wholeNumber,
  /** The whole set of the node, whenever its generation moved past the applied one. */
  desired: v.optional(desiredSchema),
  acked: v.array(ackSchema),
  /** The digests differ: send everything. */
  wantFull: v.boolean(),
  /** A newer call of the same Runner has taken this one's place. */
  superseded: v.boolean(),
});
export type SyncAnswer = v.InferOutput<typeof syncAnswerSchema>;

/** The text whose SHA-256 both sides compare: what is observed and has not ended, in order. */
export function observedText(observed: Iterable<Pick<Observation, 'task' | 'attempt' | 'state' | 'stuck'>>): string {
  const lines: string[] = [];
  for (const one of observed) {
    if (one.state !== 'ended') lines.push(`${one.task} ${one.attempt} ${one.state}${one.stuck ? ' stuck' : ''}`);
  }
  return lines.toSorted().join('\n');
}
