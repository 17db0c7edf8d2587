import { describe, expect, it } from 'vitest';
import { taskId } from '../../src/protocol/ids.ts';
import type { BackendUsage, WorkloadRef } from '../../src/runner/backend/backend.ts';
import { createUsageReader } from '../../src/runner/usage.ts';

const never = new AbortController().signal;
const ref = (counter: number): WorkloadRef => ({ task: taskId.fromCounter(counter), attempt: 1 });
const [one, two] = [ref(1), ref(2)];

function bench() {
  const used = new Map<WorkloadRef, BackendUsage | Error>();
  const state = { nowMs: 0, gpuCalls: 0 };
  const reader = createUsageReader({
    backend: {
      usage: async (asked) => {
        const found = used.get(asked) ?? null;
        if (found instanceof Error) throw found;
        return found;
      },
    },
    machine: {
      gpuProcesses: async () => {
        state.gpuCalls += 1;
        return [
          { uuid: 'GPU-a', pid: 10, memoryBytes: 100 },
          { uuid: 'GPU-a', pid: 11, memoryBytes: 20 },
          { uuid: 'GPU-b', pid: 11, memoryBytes: 7 },
          { uuid: 'GPU-b', pid: 99, memoryBytes: 5000 },
        ];
      },
    },
    ownerOfProcess: async (pid) => (pid === 99 ? null : one),
    clock: { monotonic: () => state.nowMs },
  });
  return { reader, used, state };
}

describe('what workloads use', () => {
  it('is a rate of cores between two looks, and memory as it is', async () => {
    const { reader, used, state } = bench();
    used.set(two, { cpuTimeMs: 5000, memoryBytes: 4096 });
    expect(await reader.read([two], never)).toEqual([
      { task: two.task, attempt: 1, cpuMilli: null, memoryBytes: 4096, gpu: [] },
    ]);
    used.set(two, { cpuTimeMs: 20_000, memoryBytes: 8192 });
    state.nowMs = 10_000;
    expect(await reader.read([two], never)).toMatchObject([{ cpuMilli: 1500, memoryBytes: 8192 }]);
  });

  it('counts the memory of all its processes on each GPU, and of nobody else', async () => {
    const { reader, used } = bench();
    used.set(one, { cpuTimeMs: 0, memoryBytes: 1 });
    used.set(two, { cpuTimeMs: 0, memoryBytes: 1 });
    const [first, second] = await reader.read([one, two], never);
    expect(first?.gpu).toEqual([
      { uuid: 'GPU-a', memoryBytes: 120 },
      { uuid: 'GPU-b', memoryBytes: 7 },
    ]);
    expect(second?.gpu).toEqual([]);
  });

  it('leaves out what is gone or cannot be asked, and forgets it', async () => {
    const { reader, used, state } = bench();
    used.set(one, new Error('away'));
    used.set(two, { cpuTimeMs: 1000, memoryBytes: null });
    expect(await reader.read([one, two, ref(3)], never)).toMatchObject([{ task: two.task, memoryBytes: null }]);
    state.nowMs = 10_000;
    await reader.read([one], never);
    state.nowMs = 20_000;
    expect(await reader.read([two], never)).toMatchObject([{ cpuMilli: null }]);
  });

  it('asks no GPU when nothing runs', async () => {
    const { reader, state } = bench();
    expect(await reader.read([], never)).toEqual([]);
    expect(state.gpuCalls).toBe(0);
  });
});
