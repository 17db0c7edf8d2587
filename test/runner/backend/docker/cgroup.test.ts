import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { taskId } from '../../../../src/protocol/ids.ts';
import type { CgroupLayout } from '../../../../src/runner/backend/docker/cgroup.ts';
import {
  cgroupParent,
  parseCgroupMounts,
  readUsage,
  removeCgroup,
  setCpuShares,
} from '../../../../src/runner/backend/docker/cgroup.ts';

const ref = { task: taskId.fromCounter(52), attempt: 3 };
let root: string;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'weir-cgroup-'));
});
afterEach(() => rm(root, { recursive: true, force: true }));

async function write(path: string, text: string): Promise<void> {
  await mkdir(join(root, path, '..'), { recursive: true });
  await writeFile(join(root, path), text);
}

describe('where the groups are', () => {
  it('is read from mountinfo, for both versions', () => {
    const mounts = parseCgroupMounts(
      [
        '22 1 0:20 / /proc rw,nosuid - proc proc rw',
        '30 29 0:26 / /sys/fs/cgroup/unified rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate',
        '34 29 0:30 / /sys/fs/cgroup/cpu,cpuacct rw,nosuid shared:14 - cgroup cgroup rw,cpu,cpuacct',
        '35 29 0:31 / /sys/fs/cgroup/memory rw,nosuid - cgroup cgroup rw,memory',
      ].join('\n'),
    );
    expect(Object.fromEntries(mounts)).toMatchObject({
      unified: '/sys/fs/cgroup/unified',
      cpu: '/sys/fs/cgroup/cpu,cpuacct',
      cpuacct: '/sys/fs/cgroup/cpu,cpuacct',
      memory: '/sys/fs/cgroup/memory',
    });
    expect(mounts.has('proc')).toBe(false);
  });

  it('has one parent per attempt, a slice where systemd names it', () => {
    expect(cgroupParent('cgroupfs', ref)).toBe(`/weir/${ref.task}-3`);
    expect(cgroupParent('systemd', ref)).toBe(`weir-${ref.task}_3.slice`);
  });
});

describe('v1', () => {
  const layout = (): CgroupLayout => ({
    version: 'v1',
    driver: 'cgroupfs',
    mounts: new Map([
      ['memory', join(root, 'memory')],
      ['cpu', join(root, 'cpu')],
      ['cpuacct', join(root, 'cpu')],
    ]),
  });
  const folder = `weir/${ref.task}-3`;

  it('tells peak and processor time', async () => {
    await write(`memory/${folder}/memory.max_usage_in_bytes`, '67108864\n');
    await write(`cpu/${folder}/cpuacct.usage`, '1234567890\n');
    expect(await readUsage(layout(), ref)).toEqual({
      peakBytes: 67_108_864,
      cpuTimeMs: 1235,
      oomKills: null,
    });
  });

  it('says nothing of a group that is gone', async () => {
    expect(await readUsage(layout(), ref)).toEqual({
      peakBytes: null,
      cpuTimeMs: null,
      oomKills: null,
    });
    await setCpuShares(layout(), ref, 512);
  });

  it('removes the groups and what is left beneath them', async () => {
    await mkdir(join(root, 'memory', folder, 'left-over'), { recursive: true });
    await mkdir(join(root, 'cpu', folder), { recursive: true });
    await removeCgroup(layout(), ref);
    expect([await readdir(join(root, 'memory/weir')), await readdir(join(root, 'cpu/weir'))]).toEqual([[], []]);
    await removeCgroup(layout(), ref);
  });
});

describe('v2', () => {
  const layout = (): CgroupLayout => ({
    version: 'v2',
    driver: 'systemd',
    mounts: new Map([['unified', root]]),
  });
  const folder = `weir.slice/weir-${ref.task}_3.slice`;

  it('tells peak, processor time and kills for memory', async () => {
    await write(`${folder}/memory.peak`, '4096\n');
    await write(`${folder}/memory.events`, 'low 0\nhigh 0\nmax 12\noom 1\noom_kill 2\n');
    await write(`${folder}/cpu.stat`, 'usage_usec 2500\nuser_usec 2000\n');
    expect(await readUsage(layout(), ref)).toEqual({ peakBytes: 4096, cpuTimeMs: 3, oomKills: 2 });
  });

  it('has no peak before Linux 5.19', async () => {
    await write(`${folder}/memory.events`, 'oom_kill 0\n');
    expect(await readUsage(layout(), ref)).toMatchObject({ peakBytes: null, oomKills: 0 });
  });
});
