import { runTool } from '../../../lib/node/run-tool.ts';
import type { WorkloadRef } from '../backend.ts';
import { isFollowPosition } from './log-follow.ts';
import type { DockerParts } from './parts.ts';
import { containerName } from './identity.ts';

/** Less than this is not worth a hole. */
const leastHoleBytes = 64 * 1024 * 1024;
const toolTimeoutMs = 60_000;

/**
 * Gives the disk back what the Engine's file holds in front of `position`: the file keeps its length and its offsets,
 * only its blocks go. Nothing happens where the file is out of reach or the file system has no holes.
 */
export async function trimLogs(
  parts: DockerParts,
  { ref, position }: { ref: WorkloadRef; position: string },
  signal: AbortSignal,
): Promise<void> {
  if (isFollowPosition(position)) return;
  const name = containerName(ref);
  const fromBytes = parts.trimmed.get(name) ?? 0;
  const toBytes = Number(position);
  const path = parts.holdings.get(ref)?.logPath ?? '';
  if (path === '' || !Number.isSafeInteger(toBytes) || toBytes - fromBytes < leastHoleBytes) return;
  parts.trimmed.set(name, toBytes);
  const length = String(toBytes - fromBytes);
  const argv = ['fallocate', '--punch-hole', '--offset', String(fromBytes), '--length', length, path];
  const result = await runTool(argv, { timeoutMs: toolTimeoutMs }, signal);
  if (result.outcome === 'exited' && result.code === 0) return;
  const said = result.outcome === 'exited' ? result.stderr.trim().split('\n')[0] : result.outcome;
  parts.options.log.warn({ said, ...ref }, 'what was read of a log file could not be given back to the disk');
}
