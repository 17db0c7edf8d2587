import { silentLogger } from '../../../src/lib/logger.ts';
import type { Assignment, WorkloadSpec } from '../../../src/protocol/sync.ts';
import type { WorkloadRef } from '../../../src/runner/backend/backend.ts';
import type { SimulatedScript } from '../../../src/runner/backend/simulated/script.ts';
import { createSimulatedBackend } from '../../../src/runner/backend/simulated/simulated-backend.ts';
import {
  createSimulatedEngine,
  workloadKey,
  type SimulatedEngine,
} from '../../../src/runner/backend/simulated/simulated-engine.ts';
import type { Journal } from '../../../src/runner/journal/journal.ts';
import { createMemoryJournal } from '../../../src/runner/journal/memory-journal.ts';
import { createReconciler, type Reconciler } from '../../../src/runner/reconcile/reconciler.ts';
import type { ReconcilerOptions } from '../../../src/runner/reconcile/ports.ts';
import type { Workload } from '../../../src/runner/reconcile/workload.ts';
import { createHostClock, type HostClock } from '../../../src/runner/time/host-clock.ts';
import { createManualClock, settled, type ManualClock } from '../../support/manual-clock.ts';
import { startOrder } from '../../support/workload-orders.ts';
import { createPaperHost, type PaperHost } from './paper-host.ts';

/** One start of a Runner's core. */
export interface Incarnation {
  reconciler: Reconciler;
  hostClock: HostClock;
  /** Asked of its logs, in order: `follow t1`, `complete t1`. */
  logCalls: string[];
  stop(): Promise<void>;
}

/** A machine: an engine and a journal that outlive the Runners started on it, and a Host on paper. */
export interface Room {
  clock: ManualClock;
  engine: SimulatedEngine;
  journal: Journal;
  host: PaperHost;
  /** How often the program of each attempt was begun. */
  runs: Map<string, number>;
  start(ports?: Partial<ReconcilerOptions>): Promise<Incarnation>;
  /** Lets time pass in steps of `stepMs`, with a turn of the wire after each. */
  live(runner: Incarnation, ms: number, stepMs?: number): Promise<void>;
}

export function createRoom(script: Partial<SimulatedScript> = {}): Room {
  const clock = createManualClock();
  const runs = new Map<string, number>();
  const engine = createSimulatedEngine({
    clock,
    script: {
      ...script,
      startFailure(order) {
        const key = workloadKey(order.ref);
        runs.set(key, (runs.get(key) ?? 0) + 1);
        return script.startFailure?.(order) ?? null;
      },
    },
  });
  const journal = createMemoryJournal();
  const host = createPaperHost();
  return {
    clock,
    engine,
    journal,
    host,
    runs,
    async start(ports = {}) {
      const logCalls: string[] = [];
      const hostClock = createHostClock(clock);
      const stop = new AbortController();
      const reconciler = createReconciler({
        backend: createSimulatedBackend({ engine }),
        journal,
        logs: {
          follow: ({ task }) => void logCalls.push(`follow ${task}`),
          complete: async ({ task }) => void logCalls.push(`complete ${task}`),
        },
        clock,
        hostClock,
        log: silentLogger,
        node: { id: 'n1', name: 'node-1' },
        ...ports,
      });
      const running = reconciler.run(stop.signal);
      await settled();
      return {
        reconciler,
        hostClock,
        logCalls,
        async stop() {
          stop.abort();
          await clock.advance(0);
          await running;
        },
      };
    },
    async live({ reconciler }, ms, stepMs = 100) {
      for (let passedMs = 0; passedMs < ms; passedMs += stepMs) {
        host.exchange(reconciler.workloads);
        await clock.advance(Math.min(stepMs, ms - passedMs));
      }
      host.exchange(reconciler.workloads);
      await settled();
    },
  };
}

/** An assignment of a program of the simulated engine, given as its words. */
export function assignment(
  counter: number,
  program: string,
  { attempt = 1, ...spec }: Partial<WorkloadSpec> & { attempt?: number } = {},
): Assignment {
  const order = startOrder(counter, { image: 'sim/demo:1', argv: program.split(' '), ...spec });
  return { task: order.ref.task, attempt, generation: 1, spec: order.spec, stop: null, seen: false };
}

export function refOf({ task, attempt }: Pick<Assignment, 'task' | 'attempt'>): WorkloadRef {
  return { task, attempt };
}

export function workloadOf({ reconciler }: Incarnation, of: Pick<Assignment, 'task' | 'attempt'>): Workload {
  const workload = reconciler.workloads.get(of);
  if (workload === undefined) throw new Error(`the Runner does not know ${of.task} ${of.attempt}`);
  return workload;
}
