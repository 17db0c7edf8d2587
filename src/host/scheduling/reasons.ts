import { reasonAdvice, type ReasonCode as AnyReasonCode } from '../../protocol/reason.ts';

/** Why a queued task waits: those of all reasons that a pass finds. */
export type ReasonCode = Extract<
  AnyReasonCode,
  | 'resources'
  | 'fragmented'
  | 'reserved'
  | 'priority'
  | 'impossible'
  | 'constraint'
  | 'node_not_ready'
  | 'backoff'
  | 'depth'
  | 'array_cap'
  | 'no_nodes'
  | 'internal'
>;

export const adviceByReason: Readonly<Record<ReasonCode, string>> = reasonAdvice;

/**
 * What one node has against a task. `gpu_busy`: a GPU asked for by name is taken; `offer`: it does
 * not allow or have something; `numa`: the NUMA node asked for is not there, too small or full.
 */
export type NodeCause =
  | 'cpu'
  | 'memory'
  | 'gpu'
  | 'gpu_busy'
  | 'numa'
  | 'label'
  | 'name'
  | 'offer'
  | 'not_ready'
  | 'draining'
  | 'cordoned'
  | 'reserved'
  | 'backoff';
