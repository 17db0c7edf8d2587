import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../lib/clock.ts';
import { toBase64Url } from '../lib/crypto.ts';
import type { Logger } from '../lib/logger.ts';
import type { SigningKey } from '../lib/node/ed25519.ts';
import { nodeHashes, nodeRandom } from '../lib/node/hashes.ts';
import type { TrustedFetch } from '../lib/node/pinned-fetch.ts';
import { runTool } from '../lib/node/run-tool.ts';
import type { TlsIdentity } from '../lib/node/tls-identity.ts';
import { together } from '../lib/together.ts';
import { createRunnerApi } from './api/runner-api.ts';
import { serveRunnerApi, type RunnerApiServer } from './api/serve-runner-api.ts';
import type { WorkloadRef } from './backend/backend.ts';
import { ownerOfProcess } from './backend/docker/cgroup.ts';
import { createDockerBackend } from './backend/docker/docker-backend.ts';
import { createHostKeyBook, loadMacKey, signProof, type HostKeyBook, type NodeFile } from './enrol/identity.ts';
import { openJournal } from './journal/file-journal.ts';
import { createLogKeeper, type LogKeeper } from './logs/log-keeper.ts';
import type { Machine } from './machine.ts';
import { createMonitor } from './monitor.ts';
import { createWorkloadNetwork, type WorkloadNetwork } from './network/workload-network.ts';
import type { RunnerOptions } from './options.ts';
import { createReconciler, type Reconciler } from './reconcile/reconciler.ts';
import { registryCredentials } from './registry-credentials.ts';
import { createHostClient, type HostClient } from './sync/host-client.ts';
import { runSync } from './sync/sync-loop.ts';
import { createHostClock, type HostClock } from './time/host-clock.ts';
import { wholeLog } from './whole-log.ts';
import { isolatedNetwork } from './workload-network.ts';

const clock = systemClock;

export interface NodeParts {
  folder: string;
  node: NodeFile;
  key: SigningKey;
  tls: TlsIdentity | null;
  machine: Machine;
  fetch: TrustedFetch;
}

/** The Runner of a machine that has joined, until the signal aborts. */
export async function runNode(options: RunnerOptions, parts: NodeParts, signal: AbortSignal): Promise<void> {
  const { folder, node, tls, machine } = parts;
  const log = options.log.child({ node: node.node });
  const boot = toBase64Url(nodeRandom.bytes(12));
  const hostClock = createHostClock(clock);
  const hostKeys = createHostKeyBook(folder, node);
  using journal = openJournal(join(folder, 'journal.db'));
  const network = openNetwork(options, log);
  await using backend = await openBackend(options, parts, { network, log, signal });
  machine.useEngine(backend);
  const capOf = (ref: WorkloadRef): number | undefined => reconciler.workloads.get(ref)?.assignment?.spec.logCapBytes;
  await using logs = createLogKeeper({ dir: join(folder, 'logs'), clock, log, backend, capOf, ...options.logs });
  const self = { id: node.node, name: node.name };
  const reconciler = createReconciler({ backend, journal, logs, clock, hostClock, log, node: self });
  await using server = await openApi(options, { node, boot, hostKeys, hostClock, logs, reconciler, tls, log });
  const { address, port } = options.advertise ?? server;
  const addresses = { api: `${address}:${port}`, data: null };
  log.info({ name: node.name, host: node.host, api: addresses.api }, 'the Runner works');
  const client = openClient(parts, { hostClock, hostKeys, log });
  const ports = { client, reconciler, clock, hashes: nodeHashes, random: nodeRandom, log };
  const running = () => runningRefs(reconciler);
  const monitor = createMonitor({ machine, backend, running, ownerOfProcess, clock, log });
  const { capacity, load } = monitor;
  await together(signal, [
    (until) => monitor.run(until),
    (until) => network.guard(until),
    (until) => reconciler.run(until),
    (until) => runSync({ ...ports, boot, addresses, capacity, load }, until),
  ]);
}

interface ApiPorts {
  node: NodeFile;
  boot: string;
  hostKeys: HostKeyBook;
  hostClock: HostClock;
  logs: LogKeeper;
  reconciler: Reconciler;
  tls: TlsIdentity | null;
  log: Logger;
}

function openApi({ listen }: RunnerOptions, ports: ApiPorts): Promise<RunnerApiServer> {
  const { node, boot, hostKeys, hostClock, logs, reconciler, tls, log } = ports;
  const { workloads } = reconciler;
  const api = createRunnerApi({
    node: node.node,
    boot,
    hostKeys: hostKeys.keys,
    hostNow: hostClock.now,
    logs,
    whole: (ref, until) => wholeLog({ workloads, logs, clock }, ref, until),
    random: nodeRandom,
    log,
  });
  return serveRunnerApi({ api, listen, tls });
}

function openNetwork({ socketPath, policy }: RunnerOptions, log: Logger): WorkloadNetwork {
  const subnet = policy.subnet === null ? {} : { subnet: policy.subnet };
  return createWorkloadNetwork({ socketPath, ...subnet, run: runTool, clock, log });
}

function runningRefs({ workloads }: Reconciler): WorkloadRef[] {
  return [...workloads.all()].filter(({ phase }) => phase === 'running' || phase === 'paused').map(({ ref }) => ref);
}

interface BackendPorts {
  network: WorkloadNetwork;
  log: Logger;
  signal: AbortSignal;
}

async function openBackend(
  { socketPath, policy }: RunnerOptions,
  { folder, node }: NodeParts,
  { network, log, signal }: BackendPorts,
) {
  return createDockerBackend({
    socketPath,
    cluster: node.cluster,
    node: node.node,
    macKey: await loadMacKey(folder, nodeRandom),
    hashes: nodeHashes,
    clock,
    log,
    network: () => isolatedNetwork(network, policy.allow, signal),
    policy,
    allowedLocalPrefixes: policy.localImagePrefixes,
    registries: policy.registries,
    credential: registryCredentials(policy.registryCredentials),
    privateDir: folder,
    maxStarts: 2 * availableParallelism(),
  });
}

interface ClientPorts {
  hostClock: HostClock;
  hostKeys: HostKeyBook;
  log: Logger;
}

function openClient({ node, fetch, key }: NodeParts, { hostClock, hostKeys, log }: ClientPorts): HostClient {
  return createHostClient({
    url: node.host,
    fetch,
    clock,
    hostClock,
    hashes: nodeHashes,
    proof: (nowMs) => signProof(key, node, { nowMs, random: nodeRandom }),
    onSession: ({ hostKeys: keys }) => {
      hostKeys
        .learn(keys)
        .catch((error: unknown) => log.error({ err: error }, 'the keys of the Host could not be kept'));
    },
  });
}
