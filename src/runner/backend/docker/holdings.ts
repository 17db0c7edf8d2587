import type { BackendEnd, StartOrder, WorkloadRef } from '../backend.ts';
import type { Container } from './container.ts';
import { containerName } from './identity.ts';

/**
 * What never changes about a container of ours, kept so that it is asked for once. `id` is empty while only what was
 * ordered is known and the engine was not asked.
 */
export type Held = Pick<Container, 'id' | 'startedAtMs' | 'limitBytes' | 'stopSignal' | 'image' | 'logPath'>;

/**
 * What this incarnation of the Runner knows of containers beyond what the engine says now. All of it may be lost:
 * it makes answers quicker, and verdicts alike when they are asked for twice.
 */
export interface Holdings {
  get(ref: WorkloadRef): Held | undefined;
  keep(ref: WorkloadRef, held: Held): void;
  ends: Map<string, BackendEnd>;
  /** Verdicts that are being worked out. */
  judging: Map<string, Promise<BackendEnd>>;
  oomSeen: Set<string>;
  /** Calls `fn` at the next `die`, `oom` or `destroy` of the container; call the answer to stop. */
  onSign(ref: WorkloadRef, fn: () => void): () => void;
  sign(ref: WorkloadRef): void;
  forget(ref: WorkloadRef): void;
}

export function createHoldings(): Holdings {
  const held = new Map<string, Held>();
  const listeners = new Map<string, Set<() => void>>();
  const ends = new Map<string, BackendEnd>();
  const oomSeen = new Set<string>();
  return {
    ends,
    oomSeen,
    judging: new Map(),
    get: (ref) => held.get(containerName(ref)),
    keep: (ref, one) => {
      held.set(containerName(ref), one);
    },
    onSign(ref, fn) {
      const name = containerName(ref);
      const all = listeners.get(name) ?? new Set();
      listeners.set(name, all.add(fn));
      return () => {
        all.delete(fn);
        if (all.size === 0 && listeners.get(name) === all) listeners.delete(name);
      };
    },
    sign: (ref) => {
      for (const fn of listeners.get(containerName(ref)) ?? []) fn();
    },
    forget(ref) {
      const name = containerName(ref);
      held.delete(name);
      ends.delete(name);
      oomSeen.delete(name);
    },
  };
}

/** What is known of a container that was created just now. */
export function heldOfOrder({ spec }: StartOrder): Held {
  const limitBytes = spec.memoryBytes === 0 ? null : spec.memoryBytes;
  return {
    id: '',
    startedAtMs: null,
    limitBytes,
    stopSignal: spec.stopSignal,
    image: spec.image,
    logPath: '',
  };
}

/** The part of a container that is kept. */
export function heldOf(container: Container): Held {
  const { id, startedAtMs, limitBytes, stopSignal, image, logPath } = container;
  return { id, startedAtMs, limitBytes, stopSignal, image, logPath };
}
