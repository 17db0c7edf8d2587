import { describe, expect, it } from 'vitest';
import { silentLogger } from '../../src/lib/logger.ts';
import { taskId } from '../../src/protocol/ids.ts';
import type { CapacityReport, Load } from '../../src/protocol/node-report.ts';
import type { WorkloadRef } from '../../src/runner/backend/backend.ts';
import { createMonitor, type MonitorOptions } from '../../src/runner/monitor.ts';
import { createManualClock } from '../support/manual-clock.ts';

const load: Load = { load1: 0.5, memoryAvailableBytes: 1, diskFreeBytes: 1, loopLagMs: 0 };
const running: WorkloadRef = { task: taskId.fromCounter(7), attempt: 2 };

function bench(wish: Partial<MonitorOptions['machine']> = {}) {
  const clock = createManualClock();
  const calls = { capacity: 0, gpus: 0, usage: 0 };
  const state = { running: [] as WorkloadRef[], moved: false, warnings: 0 };
  const stop = new AbortController();
  const monitor = createMonitor({
    machine: {
      capacity: async () => {
        calls.capacity += 1;
        return { version: `look ${calls.capacity}` } as CapacityReport;
      },
      load: async () => load,
      gpuLoads: async () => {
        calls.gpus += 1;
        return { loads: [], cards: [], fault: 'one is lost', moved: state.moved };
      },
      gpuProcesses: async () => [],
      ...wish,
    },
    backend: {
      usage: async () => {
        calls.usage += 1;
        return { cpuTimeMs: calls.usage * 5000, memoryBytes: 64 };
      },
    },
    running: () => state.running,
    ownerOfProcess: async () => null,
    clock,
    log: { ...silentLogger, warn: () => (state.warnings += 1) },
  });
  const over = monitor.run(stop.signal);
  const end = async (): Promise<void> => {
    stop.abort();
    await over;
  };
  return { clock, calls, state, monitor, signal: stop.signal, end };
}

describe('the monitor of a machine', () => {
  it('looks at what runs every ten seconds, and tells rates from the second look on', async () => {
    const { clock, calls, state, monitor, end } = bench();
    state.running = [running];
    await clock.advance(1);
    expect((await monitor.load()).workloads).toEqual([
      { task: running.task, attempt: 2, cpuMilli: null, memoryBytes: 64, gpu: [] },
    ]);
    await clock.advance(10_000);
    expect(await monitor.load()).toMatchObject({ load1: 0.5, gpuFault: 'one is lost', workloads: [{ cpuMilli: 500 }] });
    expect(calls).toMatchObject({ capacity: 1, gpus: 2, usage: 2 });
    await end();
  });

  it('asks the GPUs of an idle machine once a minute only, and forgets what ran', async () => {
    const { clock, calls, state, monitor, end } = bench();
    state.running = [running];
    await clock.advance(1);
    state.running = [];
    for (let look = 0; look < 12; look += 1) await clock.advance(10_000);
    expect(calls.gpus).toBe(3);
    expect((await monitor.load()).workloads).toEqual([]);
    await end();
  });

  it('lists the hardware anew when other GPUs answer, and else every five minutes', async () => {
    const { clock, calls, state, monitor, signal, end } = bench();
    await clock.advance(1);
    expect((await monitor.capacity(signal)).version).toBe('look 1');
    state.moved = true;
    state.running = [running];
    await clock.advance(10_000);
    state.moved = false;
    expect((await monitor.capacity(signal)).version).toBe('look 2');
    for (let look = 0; look < 29; look += 1) await clock.advance(10_000);
    expect(calls.capacity).toBe(2);
    await clock.advance(10_000);
    expect(calls.capacity).toBe(3);
    await end();
  });

  it('answers what it saw last while a tool hangs', async () => {
    let hang = false;
    const { clock, state, monitor, signal, end } = bench({
      gpuLoads: async (_signal) => {
        if (hang)
          await new Promise((_, reject) =>
            _signal.addEventListener('abort', () => reject(_signal.reason), { once: true }),
          );
        return { loads: [], cards: [], fault: null, moved: false };
      },
    });
    state.running = [running];
    await clock.advance(1);
    hang = true;
    await clock.advance(10_000);
    expect((await monitor.load()).workloads).toHaveLength(1);
    expect((await monitor.capacity(signal)).version).toBe('look 1');
    await end();
  });

  it('goes on after a look that failed', async () => {
    let fail = true;
    const { clock, state, monitor, signal, end } = bench({
      capacity: async () => {
        if (fail) throw new Error('no disk');
        return { version: 'after all' } as CapacityReport;
      },
    });
    await clock.advance(1);
    expect(state.warnings).toBe(1);
    await expect(monitor.capacity(signal)).rejects.toThrow('no disk');
    fail = false;
    await clock.advance(10_000);
    expect((await monitor.capacity(signal)).version).toBe('after all');
    await end();
  });
});
