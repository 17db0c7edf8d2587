import * as v from 'valibot';
import { batchId, nodeId, taskId } from './ids.ts';
import { nodeReasonSchema, reasonSchema } from './reason.ts';
import { lenient, timestamp, wholeNumber } from './schema.ts';
import { endSchema } from './task-end.ts';
import { taskStateSchema } from './task-state.ts';

/** One try of a task on one node. */
export const attemptViewSchema = lenient({
  attempt: wholeNumber,
  node: nodeId.schema,
  nodeName: v.string(),
  state: taskStateSchema,
  gpus: v.array(v.string()),
  assignedAt: timestamp,
  startedAt: v.nullable(timestamp),
  endedAt: v.nullable(timestamp),
  end: v.nullable(endSchema),
});
export type AttemptView = v.InferOutput<typeof attemptViewSchema>;

/** The stored spec as clients read it; the exact fields are those of the submitted one. */
const specView = v.pipe(
  v.custom<Record<string, unknown>>((value) => typeof value === 'object' && value !== null && !Array.isArray(value)),
  v.metadata({ description: 'The spec with its defaults filled in: sizes in bytes, durations in milliseconds.' }),
);

const summary = {
  id: taskId.schema,
  name: v.string(),
  owner: v.string(),
  state: taskStateSchema,
  /** It was told to stop, its grace is over, and it still runs. */
  stuck: v.boolean(),
  priority: v.string(),
  node: v.nullable(nodeId.schema),
  nodeName: v.nullable(v.string()),
  attempt: wholeNumber,
  labels: v.record(v.string(), v.string()),
  /** GPUs of the present or last attempt, by UUID. */
  gpus: v.array(v.string()),
  /** Grows with every change; never goes back. */
  rev: wholeNumber,
  /** It does not start before; `null` when nothing holds it back. */
  notBefore: v.optional(v.nullable(timestamp)),
  reason: v.nullable(reasonSchema),
  end: v.nullable(endSchema),
  createdAt: timestamp,
  startedAt: v.nullable(timestamp),
  endedAt: v.nullable(timestamp),
};

/** A task as events carry it: everything that changes. */
export const taskSummarySchema = lenient(summary);
export type TaskSummary = v.InferOutput<typeof taskSummarySchema>;

/** What a task uses now. Cores; `null` until it was looked at twice. */
const taskUsageSchema = lenient({
  cpus: v.nullable(v.number()),
  memory: v.nullable(wholeNumber),
  gpus: v.array(lenient({ uuid: v.string(), memory: wholeNumber })),
});
export type TaskUsage = v.InferOutput<typeof taskUsageSchema>;

export const taskViewSchema = lenient({
  ...summary,
  /** Of tasks that were submitted together. */
  batch: v.optional(v.nullable(batchId.schema)),
  /** Of an array: how many members are in which state. */
  members: v.optional(v.nullable(v.record(v.string(), wholeNumber))),
  /** Of a member of an array. */
  array: v.optional(v.nullable(lenient({ id: taskId.schema, index: wholeNumber }))),
  /** What happens when its node stays away, and after how long, ms. */
  onNodeLoss: v.optional(lenient({ policy: v.picklist(['wait', 'requeue']), lease: v.nullable(wholeNumber) })),
  /** Why it waits, nodes grouped by cause; empty unless queued. */
  reasons: v.array(nodeReasonSchema),
  spec: specView,
  /** `null` unless it runs and its node told of it lately. What it used in all is in `end`. */
  usage: v.optional(v.nullable(taskUsageSchema)),
  /** Only in the view of one task. */
  attempts: v.optional(v.array(attemptViewSchema)),
});
export type TaskView = v.InferOutput<typeof taskViewSchema>;

export const explanationSchema = lenient({
  id: taskId.schema,
  state: taskStateSchema,
  reason: v.nullable(reasonSchema),
  /** 1 is the head; `null` unless queued. */
  position: v.nullable(wholeNumber),
  /** The first of those that go before, at most twenty. */
  ahead: v.array(taskId.schema),
  nodes: v.array(
    lenient({
      node: nodeId.schema,
      nodeName: v.string(),
      fits: v.boolean(),
      cause: v.nullable(v.string()),
      detail: v.string(),
    }),
  ),
  /** What would start it now. */
  wouldHelp: v.array(v.string()),
});
export type Explanation = v.InferOutput<typeof explanationSchema>;

/** What a task that is submitted now would meet. Nothing of it is kept. */
export const dryRunSchema = lenient({
  task: v.omit(taskViewSchema, ['id']),
  explanation: v.omit(explanationSchema, ['id']),
  startsNow: v.nullable(lenient({ node: v.string(), gpus: v.array(v.string()) })),
});
export type DryRun = v.InferOutput<typeof dryRunSchema>;
