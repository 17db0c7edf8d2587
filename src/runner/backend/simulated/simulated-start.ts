import type { BackendWorkload, StartOrder } from '../backend.ts';
import { BackendError } from '../backend.ts';
import { parseProgram } from './program.ts';
import type { SimulatedEngine, SimulatedWorkload } from './simulated-engine.ts';
import { workloadKey } from './simulated-engine.ts';
import { startProcess } from './simulated-process.ts';

export function describeWorkload(workload: SimulatedWorkload): BackendWorkload {
  const { order, phase, startedAtMs } = workload;
  return {
    ref: order.ref,
    generation: order.generation,
    owner: order.spec.owner,
    phase,
    startedAtMs,
  };
}

/** Creates and starts a workload, or what of that was not done before. */
export async function startSimulated(
  engine: SimulatedEngine,
  order: StartOrder,
  signal: AbortSignal,
): Promise<BackendWorkload> {
  signal.throwIfAborted();
  engine.assertUp();
  const key = workloadKey(order.ref);
  const workload = engine.workloads.get(key) ?? create(engine, order);
  if (workload.phase !== 'created') return describeWorkload(workload);
  if (engine.takeCut()) throw new BackendError('engine_down', 'the simulated engine went away');
  await engine.clock.sleep(engine.script.startMs(order), signal);
  engine.assertUp();
  if (engine.workloads.get(key) !== workload)
    throw new BackendError('start_failed', `${key} was removed while it started`);
  if (workload.phase === 'created') run(engine, workload);
  return describeWorkload(workload);
}

function create(engine: SimulatedEngine, order: StartOrder): SimulatedWorkload {
  const { image } = order.spec;
  const found = engine.script.image(image);
  if (found === null || found.failure !== null || (found.pullMs > 0 && !engine.pulled.has(image))) {
    throw new BackendError('image_not_found', `"${image}" is not on this node`);
  }
  const workload: SimulatedWorkload = {
    order,
    phase: 'created',
    startedAtMs: null,
    end: null,
    process: null,
    log: [],
    listeners: new Set(),
  };
  engine.workloads.set(workloadKey(order.ref), workload);
  return workload;
}

function run(engine: SimulatedEngine, workload: SimulatedWorkload): void {
  const { order } = workload;
  const refusal = engine.script.startFailure(order);
  if (refusal !== null) {
    engine.workloads.delete(workloadKey(order.ref));
    throw new BackendError('start_failed', refusal);
  }
  const { image } = order.spec;
  const steps = parseProgram(engine.script.program(order.spec) ?? engine.script.image(image)?.program ?? []);
  workload.phase = 'running';
  workload.startedAtMs = engine.clock.now();
  engine.emit({ kind: 'changed', ref: order.ref, phase: 'running' });
  // As in a container: its init starts well, and then finds that there is no such command.
  if ('unknown' in steps) {
    const startFailure = `the command "${steps.unknown}" cannot be run in "${image}": No such file or directory`;
    engine.finish(workload, { exitCode: 127, oom: false, startFailure });
    return;
  }
  workload.process = startProcess({
    clock: engine.clock,
    steps,
    memoryLimitBytes: order.spec.memoryBytes,
    write: (stream, text) => write(engine, workload, { stream, text }),
    // Behind this turn: a process without steps ends before `startProcess` returns.
    onEnd: (end) => engine.clock.defer(() => engine.finish(workload, end)),
  });
}

function write(
  engine: SimulatedEngine,
  workload: SimulatedWorkload,
  line: { stream: 'stdout' | 'stderr'; text: string },
): void {
  const bytes = new TextEncoder().encode(line.text);
  workload.log.push({ stream: line.stream, atUs: Math.round(engine.clock.now() * 1000), bytes });
  for (const wake of workload.listeners) wake();
}
