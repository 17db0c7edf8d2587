import * as v from 'valibot';
import { nodeId } from './ids.ts';
import { gpuReportSchema, hardwareSchema, loadSchema } from './node-report.ts';
import { lenient, timestamp, wholeNumber } from './schema.ts';

export const nodeStates = ['ready', 'suspect', 'unreachable', 'lost'] as const;
export type NodeState = (typeof nodeStates)[number];

const amounts = lenient({ cpus: v.number(), memory: wholeNumber, gpus: wholeNumber });

const closedSchema = lenient({ reason: v.string(), since: timestamp, by: v.string() });

export const nodeViewSchema = lenient({
  id: nodeId.schema,
  name: v.string(),
  state: v.picklist(nodeStates),
  /** Why it takes no new work; `null` when it does. */
  draining: v.nullable(closedSchema),
  /** Takes no new work for a while, without being emptied. */
  cordoned: v.optional(v.nullable(closedSchema)),
  /** Two machines claim to be it: both are refused until an operator decides. */
  held: v.optional(v.nullable(lenient({ reason: v.string(), since: timestamp }))),
  labels: v.record(v.string(), v.string()),
  rev: wholeNumber,
  version: v.nullable(v.string()),
  capacity: v.nullable(amounts),
  /** What is promised to work, also to pulling and paused work. */
  allocated: amounts,
  gpus: v.array(gpuReportSchema),
  hardware: v.nullable(hardwareSchema),
  load: v.nullable(loadSchema),
  joinedAt: timestamp,
  lastContactAt: v.nullable(timestamp),
  tasks: wholeNumber,
});
export type NodeView = v.InferOutput<typeof nodeViewSchema>;
