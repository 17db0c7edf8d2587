import type { RunTool } from '../../lib/node/run-tool.ts';
import type { GpuReport } from '../../protocol/node-report.ts';
import type { MachineFiles } from './machine-files.ts';
import { listGpusArgv, parseGpuListing } from './nvidia-smi.ts';

/** `fault`: why the list may be short of GPUs that are there; a machine without the tool has none, and no fault. */
export interface GpuReading {
  gpus: GpuReport[];
  fault: string | null;
}

/** The tool takes seconds when the driver is not kept loaded. */
const listTimeoutMs = 20_000;

export async function readGpus(files: MachineFiles, run: RunTool, signal: AbortSignal): Promise<GpuReading> {
  const result = await run(listGpusArgv, { timeoutMs: listTimeoutMs }, signal);
  if (result.outcome === 'absent') return { gpus: [], fault: null };
  if (result.outcome === 'timed_out') {
    return { gpus: [], fault: `nvidia-smi did not answer within ${result.afterMs / 1000} s; the driver may hang` };
  }
  const { gpus: listed, faults } = parseGpuListing(result.stdout);
  const gpus = await Promise.all(
    listed.map(async ({ pciAddress, ...gpu }) => ({ ...gpu, numaNode: await numaNode(files, pciAddress) })),
  );
  return { gpus, fault: faultOf(result, faults, gpus.length) };
}

/** Code 6 is "no devices". */
const codeOfNone = 6;

function faultOf(result: { code: number | null; stderr: string }, faults: string[], count: number): string | null {
  if (faults.length > 0) return `nvidia-smi said: ${faults.join('; ')}`;
  if (result.code === 0 || (result.code === codeOfNone && count === 0)) return null;
  return `nvidia-smi ended with code ${result.code}: ${result.stderr.trim()}`;
}

async function numaNode(files: MachineFiles, address: string | null): Promise<number | null> {
  if (address === null) return null;
  const node = await files.number(`sys/bus/pci/devices/${address}/numa_node`);
  // −1 where the firmware does not say.
  return node === null || node < 0 ? null : node;
}
