import { abortable } from '../../../lib/abort.ts';
import type { LogChunk, WorkloadRef } from '../backend.ts';
import type { SimulatedEngine, SimulatedWorkload } from './simulated-engine.ts';
import { workloadKey } from './simulated-engine.ts';

/** Output of a workload; a position is the number of records before it. */
export async function* readSimulatedLogs(
  engine: SimulatedEngine,
  from: { ref: WorkloadRef; position: string | null },
  signal: AbortSignal,
): AsyncGenerator<LogChunk> {
  signal.throwIfAborted();
  engine.assertUp();
  const workload = engine.workloads.get(workloadKey(from.ref));
  if (workload === undefined) return;
  let at = Number(from.position ?? 0);
  for (;;) {
    signal.throwIfAborted();
    const record = workload.log[at];
    if (record !== undefined) {
      at += 1;
      yield { ...record, position: String(at) };
    } else if (workload.phase === 'ended') {
      return;
    } else {
      await nextSign(workload, signal);
    }
  }
}

async function nextSign(workload: SimulatedWorkload, signal: AbortSignal): Promise<void> {
  let wake = (): void => undefined;
  const sign = new Promise<void>((resolve) => {
    wake = resolve;
  });
  workload.listeners.add(wake);
  try {
    await abortable(sign, signal);
  } finally {
    workload.listeners.delete(wake);
  }
}
