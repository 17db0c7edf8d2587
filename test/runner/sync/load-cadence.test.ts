import { describe, expect, it } from 'vitest';
import { silentLogger } from '../../../src/lib/logger.ts';
import { nodeHashes, nodeRandom } from '../../../src/lib/node/hashes.ts';
import { createWake } from '../../../src/lib/wake.ts';
import { taskId } from '../../../src/protocol/ids.ts';
import type { CapacityReport, Load } from '../../../src/protocol/node-report.ts';
import type { SyncRequest } from '../../../src/protocol/sync.ts';
import { createMemoryJournal } from '../../../src/runner/journal/memory-journal.ts';
import { createWorkloads } from '../../../src/runner/reconcile/workloads.ts';
import { runSync } from '../../../src/runner/sync/sync-loop.ts';
import { createHostClock } from '../../../src/runner/time/host-clock.ts';
import { createManualClock } from '../../support/manual-clock.ts';

const load: Load = { load1: 0, memoryAvailableBytes: 1, diskFreeBytes: 1, loopLagMs: 0 };

/** A Runner's sync against a Host that holds each call for as long as it may, and has nothing to say. */
function bench() {
  const clock = createManualClock();
  const hostClock = createHostClock(clock);
  const news = createWake();
  const workloads = createWorkloads({
    journal: createMemoryJournal(),
    clock,
    hostClock,
    changed: () => undefined,
    news,
  });
  const requests: SyncRequest[] = [];
  const stop = new AbortController();
  let version = 'one';
  const over = runSync(
    {
      client: {
        async sync(request, signal) {
          requests.push(request);
          const { epoch, changes } = request;
          const acked = changes.map(({ task, attempt, state }) => ({ task, attempt, state, verdict: 'kept' as const }));
          if (acked.length === 0) await clock.sleep(request.holdMs, signal);
          return { epoch, generation: 0, hostTime: clock.now(), acked, wantFull: false, superseded: false };
        },
      },
      reconciler: { workloads, news },
      clock,
      hashes: nodeHashes,
      random: nodeRandom,
      log: silentLogger,
      boot: 'boot-nonce-1',
      addresses: { api: null, data: null },
      capacity: async () => ({ version, machineId: '', bootId: '', load }) as CapacityReport,
      load: async () => load,
    },
    stop.signal,
  );
  const end = async (): Promise<void> => {
    stop.abort(new DOMException('the test is over', 'AbortError'));
    await over;
  };
  return { clock, workloads, requests, end, grow: () => (version = 'two') };
}

describe('how busy the machine is', () => {
  it('goes with each held call of an idle Runner, three times a minute', async () => {
    const { clock, requests, end } = bench();
    await clock.advance(59_000);
    expect(requests.map(({ holdMs, load: told }) => [holdMs, told !== undefined])).toEqual([
      [20_000, true],
      [20_000, true],
      [20_000, true],
    ]);
    await end();
  });

  it('goes every ten seconds while something runs, and with no call in between', async () => {
    const { clock, workloads, requests, end } = bench();
    await clock.advance(1);
    const one = workloads.adopt({ task: taskId.fromCounter(3), attempt: 1 });
    workloads.update(one, { phase: 'running' });
    await clock.advance(1);
    requests.length = 0;
    workloads.update(one, { phase: 'paused' });
    await clock.advance(1);
    expect(requests.map(({ holdMs, load: told }) => [holdMs, told])).toEqual([
      [10_000, undefined],
      [10_000, undefined],
    ]);
    requests.length = 0;
    await clock.advance(30_000);
    expect(requests.map(({ load: told }) => told !== undefined)).toEqual([true, true, true]);
    await end();
  });
});

describe('what the machine has', () => {
  it('is told once, and again when the next look finds another', async () => {
    const { clock, requests, end, grow } = bench();
    await clock.advance(41_000);
    expect(requests.map(({ capacity }) => capacity?.version)).toEqual(['one', undefined, undefined]);
    grow();
    await clock.advance(20_000);
    expect(requests.at(-1)).toMatchObject({ capacity: { version: 'two' }, load });
    await end();
  });
});
