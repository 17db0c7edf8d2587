import { taskId } from '../../src/protocol/ids.ts';
import type { WorkloadSpec } from '../../src/protocol/sync.ts';
import type { StartOrder } from '../../src/runner/backend/backend.ts';

/** An order with everything that a test does not care about filled in. */
export function startOrder(
  counter: number,
  spec: Partial<WorkloadSpec> & Pick<WorkloadSpec, 'image' | 'argv'>,
): StartOrder {
  const task = taskId.fromCounter(counter);
  return {
    ref: { task, attempt: 1 },
    generation: 7,
    env: { WEIR_TASK_ID: task },
    spec: {
      name: 'a-task',
      owner: 'ada',
      env: {},
      workdir: null,
      user: null,
      cpuMilli: 500,
      memoryBytes: 64 * 1024 * 1024,
      gpuUuids: [],
      timeLimitMs: null,
      stopSignal: 'SIGTERM',
      stopGraceMs: 10_000,
      ...spec,
    },
  };
}
