import { formatBytes } from '../../lib/bytes.ts';
import { bareEnd, type End } from '../../protocol/task-end.ts';
import type { StopOrder } from '../../protocol/sync.ts';
import type { BackendEnd } from '../backend/backend.ts';

/** The end as it is told: what was asked of the workload decides what its exit means. */
export function judgeEnd(seen: BackendEnd | 'absent', stop: StopOrder | null): End {
  if (seen === 'absent') {
    return stop === null
      ? bareEnd('container_removed', 'its container was removed from outside')
      : bareEnd(stop.cause, stop.message);
  }
  const { cause, message } = causeOf(seen, stop);
  return {
    cause,
    message,
    exitCode: seen.exitCode,
    signal: seen.signal,
    evidence: seen.evidence,
    usage: { memoryPeakBytes: seen.memoryPeakBytes, cpuTimeMs: seen.cpuTimeMs },
  };
}

function causeOf(seen: BackendEnd, stop: StopOrder | null): Pick<End, 'cause' | 'message'> {
  if (stop !== null) return { cause: stop.cause, message: stop.message };
  if (seen.startFailure !== null) return { cause: 'start_failed', message: seen.startFailure };
  if (seen.oom) return { cause: 'oom', message: oomMessage(seen) };
  if (seen.engineRestart)
    return { cause: 'engine_restart', message: 'the container engine went down and took it along' };
  if (seen.signal !== null) return { cause: 'signal', message: `ended by ${seen.signal}` };
  if (seen.exitCode === null) return { cause: 'container_removed', message: 'the engine no longer knows how it ended' };
  return { cause: 'exit', message: `exited with code ${seen.exitCode}` };
}

function oomMessage({ evidence }: BackendEnd): string {
  const limit = evidence?.limitBytes ?? null;
  return limit === null
    ? 'the kernel killed it for memory'
    : `the kernel killed it: it used all of its ${formatBytes(limit)} of memory`;
}
