import type { TaskId } from '../../protocol/ids.ts';
import type { WorkloadSpec } from '../../protocol/sync.ts';
import type { EndEvidence } from '../../protocol/task-end.ts';
import type { Signal } from '../../protocol/task-spec.ts';

/** One attempt of one task: what a container is named and fenced by. */
export interface WorkloadRef {
  task: TaskId;
  attempt: number;
}

/** `created` never ran: a Runner died between create and start. */
export type WorkloadPhase = 'created' | 'running' | 'paused' | 'ended';

/** What the backend holds of ours, live or ended. */
export interface BackendWorkload {
  ref: WorkloadRef;
  generation: number;
  owner: string;
  phase: WorkloadPhase;
  /** Wall clock of this machine, ms; `null` when it never ran. */
  startedAtMs: number | null;
}

/** How a workload's main process ended, without judging why: that needs to know what was asked of it. */
export interface BackendEnd {
  /** `null` when the engine does not know (its record is lost). */
  exitCode: number | null;
  /** Name of the signal that ended it, where the exit code says so (128 + n). */
  signal: string | null;
  /** The rule of the cgroup: never guessed from 137. */
  oom: boolean;
  /** The engine itself went down and took it along. */
  engineRestart: boolean;
  /** It never ran, although the start went well: why its command could not be executed, fit for its owner. */
  startFailure: string | null;
  evidence: EndEvidence | null;
  memoryPeakBytes: number | null;
  cpuTimeMs: number | null;
  /** Wall clock of this machine, ms. */
  endedAtMs: number | null;
}

/**
 * A hint that lets the reconciler be quick; what it does is read anew from `list` and `end`.
 * `ended` carries the result where it is known at once. `relist` says that events may have been missed.
 */
export type BackendEvent =
  | { kind: 'ended'; ref: WorkloadRef; end: BackendEnd }
  | { kind: 'changed'; ref: WorkloadRef; phase: 'running' | 'paused' }
  | { kind: 'removed'; ref: WorkloadRef }
  | { kind: 'relist' };

export interface StartOrder {
  ref: WorkloadRef;
  generation: number;
  spec: WorkloadSpec;
  /** What Weir adds to the environment (`WEIR_TASK_ID` …); never a credential. */
  env: Readonly<Record<string, string>>;
}

export interface LogChunk {
  stream: 'stdout' | 'stderr';
  /** Microseconds since 1970 by this machine's wall clock, as the engine stamped it. */
  atUs: number;
  bytes: Uint8Array;
  /** Opaque position behind this chunk, for `logs` to go on from. */
  position: string;
}

export interface EngineInfo {
  name: string;
  version: string;
  cgroup: 'v1' | 'v2';
  storageDriver: string;
}

/** What a workload has used so far (cores) and holds now (memory, without cache that can be given back at once). */
export interface BackendUsage {
  cpuTimeMs: number | null;
  memoryBytes: number | null;
}

/**
 * What runs workloads: Docker, QEMU, or the simulated one. All calls are idempotent and may be made again after a
 * crash at any point. All of them pass `test/contract/backend.ts`.
 */
export interface Backend {
  /** @throws BackendError `engine_down` */
  describe(signal: AbortSignal): Promise<EngineInfo>;
  /** What it can give beyond the common, as the scheduler asks for it. @throws BackendError `engine_down` */
  offers(signal: AbortSignal): Promise<string[]>;
  /** Everything of this node's that the backend holds: label and HMAC say what is ours. */
  list(signal: AbortSignal): Promise<BackendWorkload[]>;
  /**
   * Returns when the image is there; one pull per image at a time, whoever asks.
   * @throws BackendError `image_not_found`, `image_pull_failed`, `engine_down`
   */
  pull(image: string, onProgress: (text: string) => void, signal: AbortSignal): Promise<void>;
  /**
   * Creates and starts; when the workload is there already it is started if it never ran, and left alone otherwise.
   * @throws BackendError `start_failed`, `image_not_found`, `engine_down`
   */
  start(order: StartOrder, signal: AbortSignal): Promise<BackendWorkload>;
  /** Sends a signal to the main process; nothing happens when it has ended or is not there. */
  kill(ref: WorkloadRef, name: Signal, signal: AbortSignal): Promise<void>;
  pause(ref: WorkloadRef, signal: AbortSignal): Promise<void>;
  resume(ref: WorkloadRef, signal: AbortSignal): Promise<void>;
  /** `null` while it runs; `absent` when there is no such workload. */
  end(ref: WorkloadRef, signal: AbortSignal): Promise<BackendEnd | 'absent' | null>;
  /** As the kernel counted it. `null` when there is no such workload; of one that has ended it may tell the last. */
  usage(ref: WorkloadRef, signal: AbortSignal): Promise<BackendUsage | null>;
  /** Takes away everything of it: container, anonymous volumes, cgroup. Nothing happens when it is gone. */
  remove(ref: WorkloadRef, signal: AbortSignal): Promise<void>;
  /** Runs until the signal aborts, over engine restarts. */
  watch(signal: AbortSignal): AsyncIterable<BackendEvent>;
  /** Output behind `position` (`null`: from the start), until the workload has ended and all of it was read. */
  logs(ref: WorkloadRef, position: string | null, signal: AbortSignal): AsyncIterable<LogChunk>;
  /** Output in front of `position` is kept elsewhere and is not asked for again: its room may be given back. */
  trimLogs(ref: WorkloadRef, position: string, signal: AbortSignal): Promise<void>;
}

export type BackendErrorCode = 'image_not_found' | 'image_pull_failed' | 'start_failed' | 'engine_down';

/** The engine's refusal, in our words. `message` is fit for the person whose task it is. */
export class BackendError extends Error {
  override readonly name = 'BackendError';
  readonly code: BackendErrorCode;

  constructor(code: BackendErrorCode, message: string, cause?: unknown) {
    super(message, { cause });
    this.code = code;
  }
}
