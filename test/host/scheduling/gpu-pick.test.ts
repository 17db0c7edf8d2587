import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { pickGpus } from '../../../src/host/scheduling/gpu-pick.ts';

/** GPUs 0 to 3 sit on NUMA node 0, 4 to 7 on 1, the rest is unknown. */
const numaOf = (gpu: number) => (gpu < 8 ? Math.floor(gpu / 4) : null);

describe('the GPUs of a task', () => {
  it('come from one NUMA node', () => {
    expect(pickGpus([0, 3, 4, 5, 6, 7], 3, numaOf)).toEqual([4, 5, 6]);
  });

  it('come from the NUMA node with the fewest left, so that a whole one stays whole', () => {
    expect(pickGpus([3, 4, 5, 6, 7], 1, numaOf)).toEqual([3]);
    expect(pickGpus([0, 1, 2, 3, 6, 7], 2, numaOf)).toEqual([6, 7]);
  });

  it('come from as few NUMA nodes as will do', () => {
    expect(pickGpus([0, 1, 4, 5, 6, 7], 5, numaOf)).toEqual([0, 4, 5, 6, 7]);
    expect(pickGpus([1, 4, 5, 8, 9], 3, numaOf)).toEqual([1, 4, 5]);
  });

  it('are as many as asked for, free, and each once', () => {
    const free = fc.uniqueArray(fc.nat({ max: 11 })).map((gpus) => gpus.sort((a, b) => a - b));
    fc.assert(
      fc.property(free, fc.nat({ max: 12 }), (gpus, count) => {
        const picked = pickGpus(gpus, count, numaOf);
        expect(picked).toHaveLength(Math.min(count, gpus.length));
        expect(new Set(picked).size).toBe(picked.length);
        for (const gpu of picked) expect(gpus).toContain(gpu);
      }),
    );
  });
});
