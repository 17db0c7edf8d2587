import type { Backend, BackendEvent, BackendUsage, WorkloadRef } from '../backend.ts';
import { createChannel } from '../channel.ts';
import type { SimulatedEngine, SimulatedWorkload } from './simulated-engine.ts';
import { workloadKey } from './simulated-engine.ts';
import { readSimulatedLogs } from './simulated-logs.ts';
import { createSimulatedPuller } from './simulated-pull.ts';
import { describeWorkload, startSimulated } from './simulated-start.ts';

/** A backend without a machine beneath: the workloads live in `engine`, which a later backend finds them in. */
export function createSimulatedBackend(options: { engine: SimulatedEngine }): Backend & AsyncDisposable {
  const { engine } = options;
  const assertUp = (signal: AbortSignal): void => {
    signal.throwIfAborted();
    engine.assertUp();
  };
  const find = (ref: WorkloadRef, signal: AbortSignal): SimulatedWorkload | undefined => {
    assertUp(signal);
    return engine.workloads.get(workloadKey(ref));
  };
  return {
    async describe(signal) {
      assertUp(signal);
      return { name: 'simulated', version: '1', cgroup: 'v2', storageDriver: 'none' };
    },
    offers: async () => [...engine.script.offers],
    async list(signal) {
      assertUp(signal);
      return [...engine.workloads.values()].map(describeWorkload);
    },
    pull: createSimulatedPuller(engine),
    start: (order, signal) => startSimulated(engine, order, signal),
    async kill(ref, name, signal) {
      find(ref, signal)?.process?.signal(name);
    },
    async pause(ref, signal) {
      move(engine, find(ref, signal), 'paused');
    },
    async resume(ref, signal) {
      move(engine, find(ref, signal), 'running');
    },
    async end(ref, signal) {
      const workload = find(ref, signal);
      return workload === undefined ? 'absent' : workload.end;
    },
    usage: async (ref, signal) => usageOf(find(ref, signal)),
    async remove(ref, signal) {
      if (find(ref, signal) !== undefined) engine.removeByHand(ref);
    },
    watch: (signal) => watch(engine, signal),
    logs: (ref, position, signal) => readSimulatedLogs(engine, { ref, position }, signal),
    async trimLogs() {},
    async [Symbol.asyncDispose]() {},
  };
}

function usageOf(workload: SimulatedWorkload | undefined): BackendUsage | null {
  const used = workload?.phase === 'ended' ? undefined : workload?.process?.usage();
  return used === undefined ? null : { cpuTimeMs: used.cpuTimeMs, memoryBytes: used.memoryPeakBytes };
}

function move(engine: SimulatedEngine, workload: SimulatedWorkload | undefined, to: 'running' | 'paused'): void {
  const from = to === 'paused' ? 'running' : 'paused';
  if (workload === undefined || workload.phase !== from) return;
  workload.phase = to;
  if (to === 'paused') workload.process?.pause();
  else workload.process?.resume();
  engine.emit({ kind: 'changed', ref: workload.order.ref, phase: to });
}

async function* watch(engine: SimulatedEngine, signal: AbortSignal): AsyncGenerator<BackendEvent> {
  if (signal.aborted) return;
  const channel = createChannel<BackendEvent>({ most: 10_000, overflow: { kind: 'relist' } });
  const onAbort = (): void => channel.close();
  engine.watchers.add(channel.push);
  signal.addEventListener('abort', onAbort, { once: true });
  if (engine.isUp()) channel.push({ kind: 'relist' });
  try {
    yield* channel.read();
  } finally {
    engine.watchers.delete(channel.push);
    signal.removeEventListener('abort', onAbort);
  }
}
