import { systemClock, type Clock } from '../../../src/lib/clock.ts';
import { silentLogger } from '../../../src/lib/logger.ts';
import { loadSigningKey } from '../../../src/lib/node/ed25519.ts';
import { nodeHashes, nodeRandom } from '../../../src/lib/node/hashes.ts';
import { createFetch } from '../../../src/lib/node/pinned-fetch.ts';
import type { CapacityReport, Load } from '../../../src/protocol/node-report.ts';
import { createSimulatedBackend } from '../../../src/runner/backend/simulated/simulated-backend.ts';
import { createSimulatedEngine, type SimulatedEngine } from '../../../src/runner/backend/simulated/simulated-engine.ts';
import { enrol } from '../../../src/runner/enrol/enrol.ts';
import { readNodeFile, signProof } from '../../../src/runner/enrol/identity.ts';
import { createMemoryJournal } from '../../../src/runner/journal/memory-journal.ts';
import { createReconciler, type Reconciler } from '../../../src/runner/reconcile/reconciler.ts';
import { createHostClient } from '../../../src/runner/sync/host-client.ts';
import { runSync } from '../../../src/runner/sync/sync-loop.ts';
import { createHostClock } from '../../../src/runner/time/host-clock.ts';
import type { HostOnDisk } from '../../support/host-on-disk.ts';
import { createWire, type Wire } from './wire.ts';

/** A Runner's core against a real Host: real keys, wire, journal; a simulated engine beneath. */
export interface Core extends AsyncDisposable {
  engine: SimulatedEngine;
  wire: Wire;
  reconciler: Reconciler;
  /** How often programs were begun, all together. */
  runs(): number;
}

/** Rests of the Runner are a twentieth as long: retries are many in a short test. */
const hurried: Clock = { ...systemClock, sleep: (ms, signal) => systemClock.sleep(ms / 20, signal) };

const load: Load = { load1: 0, memoryAvailableBytes: 2 ** 33, diskFreeBytes: 2 ** 40, loopLagMs: 0 };
const capacity: CapacityReport = {
  version: 'test',
  machineId: 'machine-1',
  bootId: 'boot-1',
  hardware: {
    hostname: 'node-1',
    kernel: '6.1',
    architecture: 'x86_64',
    cpuModel: null,
    cpuMilli: 64_000,
    memoryBytes: 2 ** 36,
    numa: [],
    gpus: [],
    engine: { name: 'simulated', version: '1', cgroup: 'v2', storageDriver: 'none' },
  },
  load,
};

/** Joins with a token of the Host and begins to sync. */
export async function startCore(on: HostOnDisk, folder: string): Promise<Core> {
  const plain = createFetch({ pin: null });
  const wire = createWire((input, init) => plain(input, init));
  const stop = new AbortController();
  const key = await loadSigningKey(folder, 'node');
  const { token } = await on.host().createJoinToken();
  const joining = {
    host: on.url,
    token,
    name: 'node-1',
    machineId: 'machine-1',
    labels: {},
    key,
    tlsPin: null,
    folder,
  };
  await enrol(joining, wire.fetch, stop.signal);
  const file = await readNodeFile(folder);
  if (file === null) throw new Error('it did not join');
  let runs = 0;
  const startFailure = (): null => {
    runs += 1;
    return null;
  };
  const engine = createSimulatedEngine({ clock: systemClock, script: { startMs: () => 5, startFailure } });
  const hostClock = createHostClock(systemClock);
  const reconciler = createReconciler({
    backend: createSimulatedBackend({ engine }),
    journal: createMemoryJournal(),
    logs: { follow: () => undefined, complete: async () => undefined },
    clock: systemClock,
    hostClock,
    log: silentLogger,
    node: { id: file.node, name: file.name },
  });
  const client = createHostClient({
    url: file.host,
    fetch: wire.fetch,
    clock: systemClock,
    hostClock,
    hashes: nodeHashes,
    proof: (nowMs) => signProof(key, file, { nowMs, random: nodeRandom }),
    onSession: () => undefined,
  });
  const running = Promise.all([
    reconciler.run(stop.signal),
    runSync(
      {
        client,
        reconciler,
        clock: hurried,
        hashes: nodeHashes,
        random: nodeRandom,
        log: silentLogger,
        boot: 'boot-nonce-1',
        addresses: { api: '127.0.0.1:1', data: null },
        capacity: async () => capacity,
        load: async () => load,
      },
      stop.signal,
    ),
  ]);
  return {
    engine,
    wire,
    reconciler,
    runs: () => runs,
    async [Symbol.asyncDispose]() {
      stop.abort(new DOMException('the test is over', 'AbortError'));
      await running;
      plain.close();
    },
  };
}

/** A task of the simulated engine, for the API. */
export function simulated(program: string): Record<string, unknown> {
  return { name: 'sim', image: 'sim/demo:1', command: program.split(' '), resources: { cpus: 0.1, memory: '6MiB' } };
}
