import { describe, expect, it } from 'vitest';
import { gpus, hourMs, minuteMs, node, task } from '../../support/scheduling-cluster.ts';
import { randomFrom } from '../../support/scheduling-backlog.ts';
import { replay, type Job, type Run } from '../../support/scheduling-replay.ts';

const nodes = [
  node('n1', { cpuMilli: 32_000, gpus: gpus('n1', 8) }),
  node('n2', { cpuMilli: 32_000, gpus: gpus('n2', 8) }),
  node('n3', { cpuMilli: 16_000, gpus: gpus('n3', 4) }),
  node('n4', { cpuMilli: 16_000 }),
];

/** A lab at more than it can take: mostly short single-GPU work, now and then a whole machine. */
function lab(seed: number, count: number): Job[] {
  const random = randomFrom(seed);
  let submitMs = 0;
  return Array.from({ length: count }, (_, order) => {
    submitMs += random(24) * minuteMs;
    const limitMs = (1 + random(8)) * hourMs;
    const cards = [0, 1, 1, 1, 2, 4, 8][random(7)] ?? 1;
    return {
      submitMs,
      runMs: Math.max(minuteMs, Math.floor((limitMs * (1 + random(100))) / 100)),
      task: task(`t${order}`, {
        limitMs,
        cpuMilli: 1000 * (1 + random(4)),
        gpus: cards === 0 ? null : { count: cards },
      }),
    };
  });
}

function meanWaitMs(runs: readonly Run[]): number {
  return runs.reduce((sum, run) => sum + run.startMs - run.submitMs, 0) / runs.length;
}

describe('a replayed lab', () => {
  it.each([1, 2, 3])('runs all of it and starts nobody later than was ever promised (seed %i)', (seed) => {
    const jobs = lab(seed, 300);
    const runs = replay(nodes, jobs);
    expect(new Set(runs.map(({ taskId }) => taskId)).size).toBe(jobs.length);
    expect(runs.filter(({ promisedMs }) => Number.isFinite(promisedMs)).length).toBeGreaterThan(20);
    for (const run of runs) expect(run.startMs).toBeLessThanOrEqual(run.promisedMs);
  });

  it('waits less for limits that let work pass behind a reservation', () => {
    const jobs = lab(4, 300);
    const backfilled = replay(nodes, jobs);
    const heldBack = replay(nodes, jobs.map(neverPasses));
    expect(meanWaitMs(backfilled)).toBeLessThan(0.8 * meanWaitMs(heldBack));
  });

  it('does not starve a whole machine behind an endless stream of small work', () => {
    const small = Array.from({ length: 400 }, (_, i): Job => {
      const gpu = { gpus: { count: 1 }, limitMs: 2 * hourMs, cpuMilli: 0, memoryBytes: 0 };
      return {
        submitMs: i * 10 * minuteMs,
        runMs: hourMs + (i % 7) * minuteMs,
        task: task(`t${i}`, gpu),
      };
    });
    const big: Job = {
      submitMs: 5 * hourMs,
      runMs: hourMs,
      task: task('b', { order: 61, gpus: { count: 8 } }),
    };
    const runs = replay([node('n1', { gpus: gpus('n1', 8) })], [...small.map(doubled), big]);
    const start = runs.find(({ taskId }) => taskId === 'b')?.startMs;
    expect(start).toBeLessThanOrEqual(big.submitMs + 2 * hourMs);
  });
});

/** Of a limit so long that nothing can pass behind a reservation by ending in time. */
function neverPasses(job: Job): Job {
  return { ...job, task: { ...job.task, limitMs: 10_000 * hourMs } };
}

/** Leaves odd numbers of the order free. */
function doubled(job: Job): Job {
  return { ...job, task: { ...job.task, order: 2 * job.task.order } };
}
