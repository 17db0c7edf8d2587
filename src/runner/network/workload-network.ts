import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { abortable } from '../../lib/abort.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Logger } from '../../lib/logger.ts';
import { runLoop } from '../../lib/loop.ts';
import type { RunTool } from '../../lib/node/run-tool.ts';
import { createWake } from '../../lib/wake.ts';
import { ensureBridgeFilter } from './bridge-filter.ts';
import { ownDnsAddresses } from './dns-addresses.ts';
import { type DockerNetwork, ensureDockerNetwork } from './docker-network.ts';
import { createEngineCall } from './engine-api.ts';
import { workloadRules } from './rules.ts';

export interface WorkloadNetworkOptions {
  /** The Engine's unix socket. */
  socketPath: string;
  /** The Docker network, its bridge and our nftables table; `weir`, `weirbr0` and `weir` unless said. */
  name?: string;
  bridge?: string;
  table?: string;
  /** The Engine picks one unless said. */
  subnet?: string;
  /** Addresses of the node that serve DNS to workloads; those of its resolver configuration unless said. */
  dnsAddresses?: () => Promise<readonly string[]>;
  /** `/`, or a recorded tree. */
  root?: string;
  run: RunTool;
  clock: Clock;
  log: Logger;
}

/** `isolated: false`: workloads on this network may reach the node or each other, `why` says what is missing. */
export type NetworkState = DockerNetwork & {
  /** For `HostConfig.NetworkMode`. */
  networkMode: string;
} & ({ isolated: true } | { isolated: false; why: string });

export interface WorkloadNetwork {
  /**
   * Puts network and rules in place as they should be; calls at one time share one pass.
   * Refusing workloads while it is not isolated is the caller's part.
   * @throws Error when the Engine does not answer or has no such network for us
   */
  ensure(signal: AbortSignal): Promise<NetworkState>;
  /** What the last pass found; `null` before the first, and after one that threw. */
  current(): NetworkState | null;
  /** Does so again and again, so that rules which somebody flushed come back; until the signal aborts. */
  guard(signal: AbortSignal): Promise<void>;
}

const toolTimeoutMs = 10_000;
const guardEveryMs = 10_000;

export function createWorkloadNetwork(options: WorkloadNetworkOptions): WorkloadNetwork {
  const { clock, log } = options;
  let state: NetworkState | null = null;
  let running: { by: AbortSignal; promise: Promise<NetworkState> } | null = null;

  const pass = async (signal: AbortSignal): Promise<NetworkState> => {
    const before = state;
    try {
      state = await putInPlace(options, signal);
    } catch (error) {
      state = null;
      throw error;
    } finally {
      running = null;
    }
    if (!state.isolated && (before?.isolated ?? true)) log.warn({ why: state.why }, 'workloads are not isolated');
    return state;
  };
  const ensure = async (signal: AbortSignal): Promise<NetworkState> => {
    for (;;) {
      running ??= { by: signal, promise: pass(signal) };
      const { by, promise } = running;
      try {
        return await abortable(promise, signal);
      } catch (error) {
        // Whoever began the pass has given it up, not we.
        if (!by.aborted || signal.aborted) throw error;
      }
    }
  };
  return {
    ensure,
    current: () => state,
    guard: (signal) =>
      runLoop(
        { name: 'workload network', clock, log, wake: createWake(), intervalMs: guardEveryMs, retryMs: guardEveryMs },
        async (passSignal) => void (await ensure(passSignal)),
        signal,
      ),
  };
}

/** The rules come first: there is no moment at which the network is there and they are not. */
async function putInPlace(options: WorkloadNetworkOptions, signal: AbortSignal): Promise<NetworkState> {
  const { socketPath, name = 'weir', bridge = 'weirbr0', subnet = null, root = '/', run } = options;
  const faults = [await putRules(options, bridge, signal), await ensureBridgeFilter(root, run, signal)];
  const hasDevice = (device: string): Promise<boolean> =>
    access(join(root, 'sys/class/net', device)).then(
      () => true,
      () => false,
    );
  const call = createEngineCall(socketPath);
  const network = await ensureDockerNetwork({ name, bridge, subnet, hasDevice }, call, signal);
  const why = faults.filter((fault) => fault !== null).join('; ');
  const { subnet: given, gateway } = network;
  const common = { networkMode: name, subnet: given, gateway };
  return why === '' ? { ...common, isolated: true } : { ...common, isolated: false, why };
}

async function putRules(options: WorkloadNetworkOptions, bridge: string, signal: AbortSignal): Promise<string | null> {
  const { table = 'weir', dnsAddresses = ownDnsAddresses, run } = options;
  const stdin = workloadRules({ table, bridge, dnsAddresses: await dnsAddresses() });
  const result = await run(['nft', '-f', '-'], { stdin, timeoutMs: toolTimeoutMs }, signal);
  switch (result.outcome) {
    case 'absent':
      return 'nft is not there: install the package nftables';
    case 'timed_out':
      return `nft did not end within ${result.afterMs} ms`;
    case 'exited':
      return result.code === 0 ? null : `nft refused the rules: ${result.stderr.trim().split('\n')[0] ?? ''}`;
  }
}
