import type { LabelCondition } from '../../protocol/label-expression.ts';

/**
 * Everything a pass may know. Integers only: milli-cores, bytes, milliseconds. The order of the
 * arrays carries no meaning.
 */
export interface Snapshot {
  nowMs: number;
  nodes: readonly SnapshotNode[];
  allocations: readonly SnapshotAllocation[];
  queued: readonly SnapshotTask[];
  held: Held;
  /** When the first task that is kept out of `queued` until then comes into it. */
  nextEligibleMs?: number | null;
}

/** `unsynced` has not synced since the Host's start. Only `ready` nodes get starts. */
export type Availability = 'ready' | 'suspect' | 'unreachable' | 'lost' | 'draining' | 'cordoned' | 'unsynced';

export interface SnapshotNode {
  id: string;
  name: string;
  labels: Readonly<Record<string, string>>;
  availability: Availability;
  /** What it allows or has beyond the common, as opaque tokens: `mount:data:rw`, `privileged`. */
  offers?: readonly string[];
  capacity: NodeCapacity;
}

export interface NodeCapacity {
  cpuMilli: number;
  memoryBytes: number;
  gpus: readonly SnapshotGpu[];
  /** Without it, nothing that is bound to a NUMA node goes there. */
  numa?: readonly SnapshotNuma[];
}

export interface SnapshotNuma {
  node: number;
  cpuMilli: number;
  memoryBytes: number;
}

export interface SnapshotGpu {
  uuid: string;
  model: string;
  memoryBytes: number;
  numaNode: number | null;
}

/** What a task holds on a node from its assignment to its end, paused and stopping included. */
export interface SnapshotAllocation {
  taskId: string;
  nodeId: string;
  cpuMilli: number;
  memoryBytes: number;
  gpuUuids: readonly string[];
  /** The NUMA node that it is bound to. */
  numaNode?: number | null;
  priority: number;
  startedAtMs: number | null;
  limitMs: number | null;
  graceMs: number;
}

export interface GpuCount {
  count: number;
  /** Glob of `*` and `?`, whatever the letter case. */
  model?: string;
  minMemoryBytes?: number;
}

export type GpuRequest = GpuCount | { uuids: readonly string[] };

export interface TaskConstraints {
  /** Id or name. */
  node: string | null;
  labels: Readonly<Record<string, string>>;
  /** Besides `labels`. */
  conditions?: readonly LabelCondition[];
  /** Tokens that the node must offer. */
  needs?: readonly string[];
}

export interface SnapshotTask {
  id: string;
  /** Submission order, unique; a requeued task keeps its first. */
  order: number;
  /** Value of the class, higher goes first. */
  priority: number;
  owner: string;
  cpuMilli: number;
  memoryBytes: number;
  gpus: GpuRequest | null;
  /** Its cores, memory and GPUs must all be of this NUMA node. */
  numaNode?: number | null;
  constraints: TaskConstraints;
  limitMs: number | null;
  /** Node id → time (ms) until which a failed start there counts against it. */
  avoid: Readonly<Record<string, number>>;
  group?: TaskGroup;
}

/** Tasks of one group, such as members of an array, that may not all run together. */
export interface TaskGroup {
  id: string;
  /** How many of it may start now; the first in the order of the queue. */
  room: number;
}

/** The memory between passes: handed out by one pass, handed in to the next, unread by anybody else. */
export interface Held {
  /** `pool` is named by its lowest node id. */
  reservations: readonly { pool: string; taskId: string }[];
  /** Where a pass that ran out of its budget stopped. */
  resume?: { priority: number; order: number };
}

export interface Policy {
  /** What a task without a limit is reckoned with; it stops nothing. */
  defaultLimitMs: number;
  /**
   * Waiting time after which the oldest task of a class takes a free reservation. In plain FIFO order
   * the first is always the oldest, so it acts only where another order is in force.
   */
  guardMs: number;
  /** Searches for a place (each at most one look at every node) that a pass may spend. */
  budgetTries: number;
}
