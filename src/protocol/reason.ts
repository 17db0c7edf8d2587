import * as v from 'valibot';
import { lenient } from './schema.ts';

/** Why a task that has not ended is where it is, each with what would change it. Closed. */
export const reasonAdvice = {
  submitted: 'Nothing to do: the next scheduling pass looks at it within a second.',
  resources: 'Wait for running work to end, ask for less, or add a node.',
  fragmented: 'There is enough in sum but not on one node: ask for less per task, or wait.',
  reserved: 'The room is kept for a task ahead: give a shorter time limit to fit in before it, or wait.',
  priority: 'Tasks ahead in the queue go first: wait, or ask for a higher priority class.',
  impossible: 'No node could ever run it: ask for less, drop a constraint, or add a node that has it.',
  constraint: 'Only nodes that match the placement count: loosen it, or wait for one of them.',
  node_not_ready: 'The nodes that could run it are away, draining or cordoned: bring one back.',
  backoff: 'It failed to start on the nodes that fit: they are tried again after a while.',
  depth: 'The queue is long: the next pass goes on from here.',
  no_nodes: 'Join a node: `weir node join-token` and then `weir runner` on the machine.',
  internal: "A fault in Weir, please report it with the Host's log.",
  held: 'It waits for somebody to release it: `weir task release`.',
  start_time: 'It was asked not to start before that time.',
  retry: 'An attempt failed in a way that is tried again: wait, or see why with `weir task show`.',
  array_cap: 'As many members of its array run as were asked for together.',
  paused: 'It was paused: `weir task resume`.',
  requeued: 'Its node stayed away past the lease: it runs elsewhere.',
  pulling: 'Nothing to do: the image is on its way to the node.',
  starting: 'Nothing to do: the container is being started.',
  stopping: 'Nothing to do: it was told to stop and has its grace.',
  stuck: 'Its processes do not die (often a hung device or network disk): look at the node.',
  gpu_missing:
    'Its node does not see the GPU any more (a fault of the card or its driver): save what it has, end it, look at the node.',
  node_unreachable: 'Its node is silent; the work there goes on. Bring the network or the Runner back.',
} as const satisfies Record<string, string>;

export type ReasonCode = keyof typeof reasonAdvice;
export const reasonCodes = Object.keys(reasonAdvice) as [ReasonCode, ...ReasonCode[]];

export const reasonSchema = lenient({
  code: v.picklist(reasonCodes),
  message: v.string(),
  advice: v.string(),
});
export type Reason = v.InferOutput<typeof reasonSchema>;

export function reason(code: ReasonCode, message: string): Reason {
  return { code, message, advice: reasonAdvice[code] };
}

/** Why these nodes do not take the task now. */
export const nodeReasonSchema = lenient({
  cause: v.string(),
  detail: v.string(),
  nodes: v.array(v.string()),
});
export type NodeReason = v.InferOutput<typeof nodeReasonSchema>;
