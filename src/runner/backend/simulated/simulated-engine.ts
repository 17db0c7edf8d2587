import type { Clock } from '../../../lib/clock.ts';
import type { BackendEnd, BackendEvent, LogChunk, StartOrder, WorkloadPhase, WorkloadRef } from '../backend.ts';
import { BackendError } from '../backend.ts';
import type { ProcessEnd, SimulatedProcess } from './simulated-process.ts';
import type { SimulatedScript } from './script.ts';
import { defaultScript } from './script.ts';

/** A workload as the simulated engine keeps it. */
export interface SimulatedWorkload {
  order: StartOrder;
  phase: WorkloadPhase;
  startedAtMs: number | null;
  end: BackendEnd | null;
  process: SimulatedProcess | null;
  log: Omit<LogChunk, 'position'>[];
  /** Called at each line of output and at the end. */
  listeners: Set<() => void>;
}

/**
 * The machine that simulated backends stand on. It outlives them: a Runner that starts again makes a new backend over
 * the same engine and finds its workloads.
 */
export interface SimulatedEngine {
  readonly clock: Clock;
  readonly script: SimulatedScript;
  readonly workloads: Map<string, SimulatedWorkload>;
  readonly pulled: Set<string>;
  readonly watchers: Set<(event: BackendEvent) => void>;
  /** @throws BackendError `engine_down` while it is away */
  assertUp(): void;
  isUp(): boolean;
  /** Tells who watches, unless the engine is away: what happens then is missed. */
  emit(event: BackendEvent): void;
  finish(workload: SimulatedWorkload, how: ProcessEnd): void;
  /** Whether the next start is cut between create and start; asking clears it. */
  takeCut(): boolean;

  /** It answers no more; what runs goes on. */
  engineDown(): void;
  engineUp(): void;
  /** It goes down and comes up, and takes everything that runs along. */
  restartAndKill(): void;
  /** Somebody takes a workload away behind our back. */
  removeByHand(ref: WorkloadRef): void;
  /** The main process ends now, by no doing of ours. */
  dieNow(ref: WorkloadRef, exitCode: number): void;
  /** The next start creates and then fails as if the engine had gone. */
  cutNextStart(): void;
}

export function workloadKey(ref: WorkloadRef): string {
  return `${ref.task}/${ref.attempt}`;
}

export function createSimulatedEngine(options: { clock: Clock; script?: Partial<SimulatedScript> }): SimulatedEngine {
  let up = true;
  let cut = false;
  const engine: SimulatedEngine = {
    clock: options.clock,
    script: { ...defaultScript, ...options.script },
    workloads: new Map(),
    pulled: new Set(),
    watchers: new Set(),
    assertUp() {
      if (!up) throw new BackendError('engine_down', 'the simulated engine is away');
    },
    isUp: () => up,
    emit(event) {
      if (up) for (const tell of engine.watchers) tell(event);
    },
    finish: (workload, how) => finish(engine, workload, how),
    takeCut() {
      const was = cut;
      cut = false;
      return was;
    },
    engineDown() {
      up = false;
    },
    engineUp() {
      up = true;
      engine.emit({ kind: 'relist' });
    },
    restartAndKill() {
      up = false;
      for (const one of engine.workloads.values()) {
        if (one.phase === 'running' || one.phase === 'paused') {
          engine.finish(one, { exitCode: 137, oom: false, engineRestart: true });
        }
      }
      engine.engineUp();
    },
    removeByHand: (ref) => removeByHand(engine, ref),
    dieNow: (ref, exitCode) => engine.workloads.get(workloadKey(ref))?.process?.end({ exitCode, oom: false }),
    cutNextStart() {
      cut = true;
    },
  };
  return engine;
}

function removeByHand(engine: SimulatedEngine, ref: WorkloadRef): void {
  const workload = engine.workloads.get(workloadKey(ref));
  if (workload !== undefined && workload.phase !== 'created') engine.finish(workload, { exitCode: 137, oom: false });
  if (engine.workloads.delete(workloadKey(ref))) engine.emit({ kind: 'removed', ref });
}

const signalNames: Readonly<Record<number, string>> = {
  129: 'SIGHUP',
  130: 'SIGINT',
  131: 'SIGQUIT',
  137: 'SIGKILL',
  138: 'SIGUSR1',
  139: 'SIGSEGV',
  140: 'SIGUSR2',
  143: 'SIGTERM',
};

function finish(engine: SimulatedEngine, workload: SimulatedWorkload, how: ProcessEnd): void {
  if (workload.phase === 'ended') return;
  const usage = workload.process?.usage() ?? { memoryPeakBytes: 0, cpuTimeMs: 0 };
  const limitBytes = workload.order.spec.memoryBytes;
  const end: BackendEnd = {
    exitCode: how.exitCode,
    signal: signalNames[how.exitCode] ?? null,
    oom: how.oom,
    engineRestart: how.engineRestart ?? false,
    startFailure: how.startFailure ?? null,
    evidence: {
      oomEvent: how.oom,
      oomKilled: how.oom,
      peakBytes: usage.memoryPeakBytes,
      limitBytes: limitBytes === 0 ? null : limitBytes,
    },
    ...usage,
    endedAtMs: engine.clock.now(),
  };
  workload.phase = 'ended';
  workload.end = end;
  workload.process?.end(how);
  engine.emit({ kind: 'ended', ref: workload.order.ref, end });
  for (const wake of workload.listeners) wake();
}
