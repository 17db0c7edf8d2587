import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { memberId, taskId } from '../../../../src/protocol/ids.ts';
import { cgroupParent, ownerOfProcess, refOfCgroup } from '../../../../src/runner/backend/docker/cgroup.ts';

const id = '3f4c0a7b51d2f0e9c8b7a6958473625140f1e2d3c4b5a69788796a5b4c3d2e1f';
const refs = fc.record({
  task: fc
    .tuple(fc.integer({ min: 1, max: 1_000_000 }), fc.option(fc.integer({ min: 0, max: 98 })))
    .map(([counter, member]) => {
      const task = taskId.fromCounter(counter);
      return member === null ? task : memberId(task, member);
    }),
  attempt: fc.integer({ min: 1, max: 99 }),
});

describe('the workload of a process', () => {
  it('is the one whose group it is in, for either driver and version', () => {
    fc.assert(
      fc.property(refs, (ref) => {
        const cgroupfs = `${cgroupParent('cgroupfs', ref)}/${id}`;
        const systemd = `/weir.slice/${cgroupParent('systemd', ref)}/docker-${id}.scope`;
        for (const path of [cgroupfs, systemd]) {
          expect(refOfCgroup(`0::${path}\n`)).toEqual(ref);
          expect(refOfCgroup(`12:memory:${path}\n11:cpu,cpuacct:${path}\n1:name=systemd:${path}\n`)).toEqual(ref);
          expect(refOfCgroup(`0::/docker/${id}${path}/deeper\n`)).toEqual(ref);
        }
      }),
    );
  });

  it('is not one that a workload names inside of its own group', () => {
    const ref = { task: taskId.fromCounter(5), attempt: 1 };
    const forged = cgroupParent('cgroupfs', { task: taskId.fromCounter(6), attempt: 1 });
    expect(refOfCgroup(`0::${cgroupParent('cgroupfs', ref)}/${id}${forged}\n`)).toEqual(ref);
  });

  it.each([
    '',
    '0::/\n',
    '0::/user.slice/user-1000.slice\n',
    `0::/docker/${id}\n`,
    '0::/weir/notes\n',
    '0::/weir/t1k7\n',
    '0::/weird/t1k7-1\n',
  ])('is none for %j', (text) => expect(refOfCgroup(text)).toBeNull());

  it('is none for this process, and for one that is not there', async () => {
    expect(await ownerOfProcess(process.pid)).toBeNull();
    expect(await ownerOfProcess(2 ** 30)).toBeNull();
  });
});
