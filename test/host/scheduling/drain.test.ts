import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { couldEverFit } from '../../../src/host/scheduling/constraints.ts';
import { schedule } from '../../../src/host/scheduling/schedule.ts';
import type { Snapshot, SnapshotTask } from '../../../src/host/scheduling/snapshot.ts';
import { anySnapshot } from '../../support/scheduling-arbitrary.ts';
import { applied, hourMs, policy, withLessRoom } from '../../support/scheduling-cluster.ts';

describe('a queue with no more arrivals', { timeout: 60_000 }, () => {
  it('drains: whatever could ever fit runs in the end', () => {
    fc.assert(
      fc.property(anySnapshot, (drawn) => {
        let now: Snapshot = {
          ...drawn,
          nodes: drawn.nodes.map((of) => ({ ...of, availability: 'ready' as const })),
          queued: drawn.queued.map((task) => ({ ...task, avoid: {} })),
        };
        for (let pass = 0; pass < 40; pass += 1) {
          now = applied(now, schedule(now, policy));
          if (now.allocations.length === 0) break;
          const nowMs = Math.min(...now.allocations.map((of) => endMs(of, now.nowMs)));
          const left = now.allocations.filter((of) => endMs(of, now.nowMs) > nowMs);
          now = { ...now, nowMs, allocations: left, queued: withRoomOf(drawn, now.queued, left) };
        }
        expect(now.queued.filter((task) => couldEverFit(task, now.nodes))).toEqual([]);
      }),
      { numRuns: 400 },
    );
  });
});

/** Members of a group that ended make room for others. */
function withRoomOf(drawn: Snapshot, queued: Snapshot['queued'], left: Snapshot['allocations']): SnapshotTask[] {
  const groupOf = new Map(drawn.queued.map(({ id, group }) => [id, group]));
  return queued.map((task) => {
    const group = groupOf.get(task.id);
    const running = left.filter(({ taskId }) => groupOf.get(taskId)?.id === group?.id).length;
    return group ? withLessRoom({ ...task, group }, running) : task;
  });
}

function endMs(of: Snapshot['allocations'][number], nowMs: number): number {
  return Math.max(nowMs + 1, (of.startedAtMs ?? nowMs) + (of.limitMs ?? 24 * hourMs));
}
