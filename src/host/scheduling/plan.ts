import type { NodeCause, ReasonCode } from './reasons.ts';
import type { Held } from './snapshot.ts';

export interface Start {
  taskId: string;
  nodeId: string;
  gpuUuids: readonly string[];
}

export interface NodeRefusals {
  cause: NodeCause;
  nodeIds: readonly string[];
  /** The nearest miss among them. Volatile, unlike the message of the class. */
  detail: string;
}

/** One answer shared by all tasks that wait for the same thing. */
export interface ReasonClass {
  code: ReasonCode;
  /** The same for as long as the situation is the same: no count that moves from pass to pass. */
  message: string;
  advice: string;
  /** Worked out when first read, against the capacity that the plan leaves. */
  readonly nodes: readonly NodeRefusals[];
}

export interface Plan {
  starts: Start[];
  /** Queued task that does not start → index in `classes`. */
  reasons: Map<string, number>;
  classes: ReasonClass[];
  held: Held;
  /** When a pass would decide otherwise though nothing happened; `null` when never. */
  nextWakeMs: number | null;
}
