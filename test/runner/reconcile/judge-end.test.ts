import { describe, expect, it } from 'vitest';
import type { EndCause } from '../../../src/protocol/task-end.ts';
import type { BackendEnd } from '../../../src/runner/backend/backend.ts';
import { judgeEnd } from '../../../src/runner/reconcile/judge-end.ts';

const gibibyte = 1024 ** 3;
const seen: BackendEnd = {
  exitCode: 0,
  signal: null,
  oom: false,
  engineRestart: false,
  startFailure: null,
  evidence: { oomEvent: false, oomKilled: false, peakBytes: 5, limitBytes: gibibyte },
  memoryPeakBytes: 5,
  cpuTimeMs: 7,
  endedAtMs: 1,
};
const kill = { cause: 'killed_by', message: 'killed by ada', kill: false } as const;
const timeout = { cause: 'timeout', message: 'ran longer than its limit of 5s', kill: false } as const;

describe('an end', () => {
  it.each<{ by: string; seen: Partial<BackendEnd>; cause: EndCause; message: string }>([
    { by: 'exit 0', seen: {}, cause: 'exit', message: 'exited with code 0' },
    { by: 'another code', seen: { exitCode: 3 }, cause: 'exit', message: 'exited with code 3' },
    {
      by: 'a signal that is not ours',
      seen: { exitCode: 137, signal: 'SIGKILL' },
      cause: 'signal',
      message: 'ended by SIGKILL',
    },
    {
      by: "the cgroup's word",
      seen: { exitCode: 137, signal: 'SIGKILL', oom: true },
      cause: 'oom',
      message: 'the kernel killed it: it used all of its 1 GiB of memory',
    },
    {
      by: 'the engine that went down',
      seen: { exitCode: 137, signal: 'SIGKILL', engineRestart: true },
      cause: 'engine_restart',
      message: 'the container engine went down and took it along',
    },
    {
      by: 'a record that is lost',
      seen: { exitCode: null },
      cause: 'container_removed',
      message: 'the engine no longer knows how it ended',
    },
  ])('by $by', ({ seen: change, cause, message }) => {
    expect(judgeEnd({ ...seen, ...change }, null)).toMatchObject({ cause, message });
  });

  it.each<[string, Partial<BackendEnd>]>([
    ['exit 0', {}],
    ['143', { exitCode: 143, signal: 'SIGTERM' }],
    ['137 and out of memory', { exitCode: 137, signal: 'SIGKILL', oom: true }],
  ])('by %s behind our signal has the cause of the order, and what was seen', (_, change) => {
    const end = { ...seen, ...change };
    for (const order of [kill, timeout]) {
      expect(judgeEnd(end, order)).toMatchObject({
        cause: order.cause,
        message: order.message,
        exitCode: end.exitCode,
        signal: end.signal,
      });
    }
  });

  it('carries evidence and usage as they were seen', () => {
    expect(judgeEnd({ ...seen, exitCode: 3 }, null)).toMatchObject({
      evidence: seen.evidence,
      usage: { memoryPeakBytes: 5, cpuTimeMs: 7 },
    });
  });

  it('without a container is container_removed, or what was ordered', () => {
    expect(judgeEnd('absent', null)).toMatchObject({ cause: 'container_removed', exitCode: null, evidence: null });
    expect(judgeEnd('absent', kill)).toMatchObject({ cause: 'killed_by', message: 'killed by ada', exitCode: null });
  });

  it('says start_failed of a command that could not be executed', () => {
    const startFailure = 'the command "nope" cannot be run in "weir/demo:1": No such file or directory';
    expect(judgeEnd({ ...seen, exitCode: 127, startFailure }, null)).toMatchObject({
      cause: 'start_failed',
      message: startFailure,
      exitCode: 127,
    });
  });
});
