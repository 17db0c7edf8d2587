import type { Backend, BackendEvent, StartOrder, WorkloadRef } from '../../src/runner/backend/backend.ts';
import type { Signal } from '../../src/protocol/task-spec.ts';

/** What a workload of the suite does, in words that each harness makes into its own argv. */
export type Deed =
  | { print: string }
  | { warn: string }
  | { sleepMs: number }
  | { ignore: Signal }
  | { exit: number }
  | 'eat memory'
  | 'sleep for ever';

/** One engine with what the suite must do to it from outside. */
export interface BackendHarness extends AsyncDisposable {
  /** A backend as a Runner that has just started makes it: over the same engine, knowing nothing. */
  open(): Backend & AsyncDisposable;
  image: string;
  missingImage: string;
  argv(deeds: readonly Deed[]): string[];
  /** A number for a task that no other test has used on this engine. */
  nextCounter(): number;
  /** The next start gets as far as creating; then the engine is out of reach. */
  cutNextStart(): void;
  /** The engine is out of reach until `reconnect`; what runs goes on. */
  disconnect(): void;
  reconnect(): void;
  /** Somebody takes it away behind the Runner's back. */
  removeByHand(order: StartOrder): Promise<void>;
}

/** Collects the events of a backend and waits for one of them. */
export interface Watched extends AsyncDisposable {
  seen: BackendEvent[];
  /** The first event, seen or to come, that the test wants. */
  until<E extends BackendEvent>(wanted: (event: BackendEvent) => event is E): Promise<E>;
}

export async function watchBackend(backend: Backend): Promise<Watched> {
  const stop = new AbortController();
  const seen: BackendEvent[] = [];
  const checks = new Set<() => void>();
  const over = (async () => {
    for await (const event of backend.watch(stop.signal)) {
      seen.push(event);
      for (const check of checks) check();
    }
  })();
  const watched: Watched = {
    seen,
    until: (wanted) =>
      new Promise((resolve) => {
        const check = (): void => {
          const found = seen.find(wanted);
          if (found === undefined) return;
          checks.delete(check);
          resolve(found);
        };
        checks.add(check);
        check();
      }),
    async [Symbol.asyncDispose]() {
      stop.abort();
      await over;
    },
  };
  await watched.until((event) => event.kind === 'relist');
  return watched;
}

type Of<K extends BackendEvent['kind']> = Extract<BackendEvent, { kind: K }>;

export function endedOf(ref: WorkloadRef): (event: BackendEvent) => event is Of<'ended'> {
  return (event): event is Of<'ended'> => event.kind === 'ended' && sameRef(event.ref, ref);
}

export function removedOf(ref: WorkloadRef): (event: BackendEvent) => event is Of<'removed'> {
  return (event): event is Of<'removed'> => event.kind === 'removed' && sameRef(event.ref, ref);
}

export function changedTo(
  ref: WorkloadRef,
  phase: 'running' | 'paused',
): (event: BackendEvent) => event is Of<'changed'> {
  return (event): event is Of<'changed'> =>
    event.kind === 'changed' && sameRef(event.ref, ref) && event.phase === phase;
}

function sameRef(a: WorkloadRef, b: WorkloadRef): boolean {
  return a.task === b.task && a.attempt === b.attempt;
}
