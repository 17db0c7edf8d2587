import { hostname, availableParallelism } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../lib/clock.ts';
import { toBase64Url } from '../lib/crypto.ts';
import type { Logger } from '../lib/logger.ts';
import { together } from '../lib/together.ts';
import { nodeHashes, nodeRandom } from '../lib/node/hashes.ts';
import { lockFolder } from '../lib/node/folder-lock.ts';
import { createFetch, type TrustedFetch } from '../lib/node/pinned-fetch.ts';
import { runTool } from '../lib/node/run-tool.ts';
import { makePrivateFolder } from '../lib/node/private-file.ts';
import type { SigningKey } from '../lib/node/ed25519.ts';
import { loadTlsIdentity, type TlsIdentity } from '../lib/node/tls-identity.ts';
import { createRunnerApi } from './api/runner-api.ts';
import { serveRunnerApi } from './api/serve-runner-api.ts';
import type { WorkloadRef } from './backend/backend.ts';
import { ownerOfProcess } from './backend/docker/cgroup.ts';
import { createDockerBackend } from './backend/docker/docker-backend.ts';
import { enrol, pinOfJoinToken } from './enrol/enrol.ts';
import {
  createHostKeyBook,
  loadMacKey,
  loadNodeKey,
  readNodeFile,
  signProof,
  type HostKeyBook,
  type NodeFile,
} from './enrol/identity.ts';
import { createHostClock, type HostClock } from './time/host-clock.ts';
import { openJournal } from './journal/file-journal.ts';
import { createLogKeeper } from './logs/log-keeper.ts';
import type { LogRetention } from './logs/log-retention.ts';
import { createMachine, type Machine } from './machine.ts';
import { createMonitor } from './monitor.ts';
import type { RunnerPolicy } from './policy.ts';
import { registryCredentials } from './registry-credentials.ts';
import { createReconciler, type Reconciler } from './reconcile/reconciler.ts';
import { createWorkloadNetwork, type WorkloadNetwork } from './network/workload-network.ts';
import { wholeLog } from './whole-log.ts';
import { isolatedNetwork } from './workload-network.ts';
import { createHostClient, type HostClient } from './sync/host-client.ts';
import { runSync } from './sync/sync-loop.ts';

export interface RunnerOptions {
  dataDir: string;
  /** Address of the Host; a folder that has joined knows it, and this takes its place. */
  host: string | null;
  /** Asked for only when the folder has not joined yet. */
  joinToken: () => Promise<string | null>;
  name: string | null;
  labels: Readonly<Record<string, string>>;
  listen: { address: string; port: number };
  /** Where the Host dials, when that is another address than it listens on. */
  advertise: { address: string; port: number } | null;
  insecureHttp: boolean;
  socketPath: string;
  policy: RunnerPolicy;
  /** Most bytes of one attempt's log, and how long logs are kept. */
  logs: { capBytes: number; retention: LogRetention };
  version: string;
  log: Logger;
}

const clock = systemClock;

/**
 * Runs the Runner until the signal aborts, and leaves all workloads as they are.
 * @throws Error when it cannot join, or another process has its folder
 */
export async function startRunner(options: RunnerOptions, signal: AbortSignal): Promise<void> {
  const folder = join(options.dataDir, 'runner');
  await makePrivateFolder(folder);
  using _lock = await lockFolder(folder);
  const key = await loadNodeKey(folder);
  const tls = await tlsFor(options, folder);
  const machine = createMachine({ ...options, folder });
  const joined = (await readNodeFile(folder)) ?? (await joinHost(options, { key, tls, machine, folder }, signal));
  const node = { ...joined, host: options.host ?? joined.host };
  const fetch = createFetch({ pin: node.pin });
  try {
    await runNode(options, { folder, node, key, tls, machine, fetch }, signal);
  } finally {
    fetch.close();
    machine[Symbol.dispose]();
  }
}

interface Parts {
  folder: string;
  node: NodeFile;
  key: SigningKey;
  tls: TlsIdentity | null;
  machine: Machine;
  fetch: TrustedFetch;
}

async function runNode(options: RunnerOptions, parts: Parts, signal: AbortSignal): Promise<void> {
  const { folder, node, tls, machine } = parts;
  const log = options.log.child({ node: node.node });
  const boot = toBase64Url(nodeRandom.bytes(12));
  const hostClock = createHostClock(clock);
  const hostKeys = createHostKeyBook(folder, node);
  using journal = openJournal(join(folder, 'journal.db'));
  const network = createWorkloadNetwork({
    socketPath: options.socketPath,
    ...subnetOf(options.policy),
    run: runTool,
    clock,
    log,
  });
  await using backend = await openBackend(options, parts, { network, log, signal });
  machine.useEngine(backend);
  const capOf = (ref: WorkloadRef): number | undefined => reconciler.workloads.get(ref)?.assignment?.spec.logCapBytes;
  await using logs = createLogKeeper({ dir: join(folder, 'logs'), clock, log, backend, capOf, ...options.logs });
  const reconciler = createReconciler({
    backend,
    journal,
    logs,
    clock,
    hostClock,
    log,
    node: { id: node.node, name: node.name },
  });
  const { workloads } = reconciler;
  const whole = (ref: WorkloadRef, until: AbortSignal) => wholeLog({ workloads, logs, clock }, ref, until);
  const api = createRunnerApi({
    node: node.node,
    boot,
    hostKeys: hostKeys.keys,
    hostNow: hostClock.now,
    logs,
    whole,
    random: nodeRandom,
    log,
  });
  await using server = await serveRunnerApi({ api, listen: options.listen, tls });
  const { address, port } = options.advertise ?? server;
  const addresses = { api: `${address}:${port}`, data: null };
  log.info({ name: node.name, host: node.host, api: addresses.api }, 'the Runner works');
  const client = openClient(parts, { hostClock, hostKeys, log });
  const ports = { client, reconciler, clock, hashes: nodeHashes, random: nodeRandom, log };
  const monitor = createMonitor({
    machine,
    backend,
    running: () => runningRefs(reconciler),
    ownerOfProcess,
    clock,
    log,
  });
  const { capacity, load } = monitor;
  await together(signal, [
    (until) => monitor.run(until),
    (until) => network.guard(until),
    (until) => reconciler.run(until),
    (until) => runSync({ ...ports, boot, addresses, capacity, load }, until),
  ]);
}

function runningRefs({ workloads }: Reconciler): WorkloadRef[] {
  return [...workloads.all()].filter(({ phase }) => phase === 'running' || phase === 'paused').map(({ ref }) => ref);
}

function subnetOf({ subnet }: RunnerPolicy): { subnet?: string } {
  return subnet === null ? {} : { subnet };
}

interface BackendPorts {
  network: WorkloadNetwork;
  log: Logger;
  signal: AbortSignal;
}

async function openBackend(
  { socketPath, policy }: RunnerOptions,
  { folder, node }: Parts,
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

function openClient({ node, fetch, key }: Parts, { hostClock, hostKeys, log }: ClientPorts): HostClient {
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

async function tlsFor({ listen, insecureHttp, log }: RunnerOptions, folder: string): Promise<TlsIdentity | null> {
  const loopback = listen.address === 'localhost' || listen.address === '::1' || listen.address.startsWith('127.');
  if (loopback) return null;
  if (insecureHttp) {
    log.warn(
      { listen: listen.address },
      'plain HTTP beyond loopback: anybody on the wire can read what workloads print',
    );
    return null;
  }
  return loadTlsIdentity(folder, { commonName: 'weir-runner', random: nodeRandom, now: clock.now() });
}

interface JoinParts {
  key: SigningKey;
  tls: TlsIdentity | null;
  machine: Machine;
  folder: string;
}

async function joinHost(
  options: RunnerOptions,
  { key, tls, machine, folder }: JoinParts,
  signal: AbortSignal,
): Promise<NodeFile> {
  const { host } = options;
  const token = host === null ? null : await options.joinToken();
  if (host === null || token === null) {
    throw new Error(
      `${folder} has not joined a Host yet: give --host URL and --join-file FILE (\`weir node join-token\` makes the token)`,
    );
  }
  const pin = pinOfJoinToken(token);
  checkTransport(host, pin, options.insecureHttp);
  const fetch = createFetch({ pin });
  try {
    const { machineId } = await machine.identity();
    const name = options.name ?? nameFromHostname();
    const joining = { host, token, name, machineId, labels: options.labels, key, tlsPin: tls?.pin ?? null, folder };
    return await enrol(joining, (input, init) => fetch(input, init), signal);
  } finally {
    fetch.close();
  }
}

/** A join token of a Host with TLS carries its pin: without one, only this machine is spoken to in the clear. */
function checkTransport(host: string, pin: string | null, insecureHttp: boolean): void {
  const { protocol, hostname: name } = new URL(host);
  const local = name === 'localhost' || name === '[::1]' || name.startsWith('127.');
  if (protocol === 'https:' ? pin !== null : local || insecureHttp) return;
  if (protocol === 'https:')
    throw new Error('the join token carries no pin of a TLS key: it was made by a Host on plain HTTP');
  throw new Error(`${host} is plain HTTP beyond this machine: use its https address, or --insecure-http if you must`);
}

function nameFromHostname(): string {
  const plain =
    hostname()
      .split('.')[0]
      ?.replace(/[^A-Za-z0-9-]/g, '-') ?? '';
  const trimmed = plain.replace(/^-+|-+$/g, '').slice(0, 63);
  return trimmed === '' ? 'node' : trimmed;
}
