import { BackendError } from './backend/backend.ts';
import type { WorkloadNetwork } from './network/workload-network.ts';

/**
 * The network that a workload joins; it is put in place when it is not.
 * @throws BackendError `engine_down` while workloads could reach the node or each other, unless the node's file allows
 *   that: they wait until it is mended
 */
export async function isolatedNetwork(
  network: Pick<WorkloadNetwork, 'current' | 'ensure'>,
  { unisolated }: { unisolated: boolean },
  signal: AbortSignal,
): Promise<{ networkMode: string }> {
  const known = network.current();
  const state = known?.isolated ? known : await ensure(network, signal);
  if (state.isolated || unisolated) return { networkMode: state.networkMode };
  throw new BackendError('engine_down', `this node cannot keep workloads apart: ${state.why}`);
}

async function ensure(
  network: Pick<WorkloadNetwork, 'ensure'>,
  signal: AbortSignal,
): Promise<Awaited<ReturnType<WorkloadNetwork['ensure']>>> {
  try {
    return await network.ensure(signal);
  } catch (error) {
    if (signal.aborted) throw error;
    const why = error instanceof Error ? error.message : String(error);
    throw new BackendError('engine_down', `the network of workloads could not be made: ${why}`, error);
  }
}
