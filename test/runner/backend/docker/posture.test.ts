import { describe, expect, it } from 'vitest';
import type { WorkloadSpec } from '../../../../src/protocol/sync.ts';
import { createOptions } from '../../../../src/runner/backend/docker/posture.ts';
import { cpusetOf } from '../../../../src/runner/backend/docker/numa.ts';
import { parseMountTable } from '../../../../src/runner/backend/docker/mount-table.ts';
import { canLimitDisk } from '../../../../src/runner/backend/docker/storage.ts';
import { offersOf } from '../../../../src/runner/backend/docker/offers.ts';
import { startError } from '../../../../src/runner/backend/docker/start-error.ts';
import { defaultPolicy, type NodeMount } from '../../../../src/runner/policy.ts';
import { startOrder } from '../../../support/workload-orders.ts';

function bodyOf(spec: Partial<WorkloadSpec>) {
  return createOptions({
    order: startOrder(1, { image: 'weir/demo:1', argv: ['true'], ...spec }),
    labels: {},
    imageEnv: [],
    networkMode: 'weir',
    cgroupParent: '/weir/t1-1',
    limits: { nofileHard: 4096, cpuset: null },
    folders: [],
    workdir: '/shared',
  });
}

describe('what the engine is asked for', () => {
  it('is exactly the GPUs of gpuUuids', () => {
    const body = bodyOf({ gpuUuids: ['GPU-1', 'GPU-2'] });
    expect(body.HostConfig?.DeviceRequests).toEqual([
      { Driver: 'nvidia', DeviceIDs: ['GPU-1', 'GPU-2'], Capabilities: [['gpu']] },
    ]);
    expect(body.Env).toContain('NVIDIA_VISIBLE_DEVICES=GPU-1,GPU-2');
  });

  it('is the size of the writable layer for diskBytes, and nothing of it without', () => {
    expect(bodyOf({ diskBytes: 1_073_741_824 }).HostConfig?.StorageOpt).toEqual({ size: '1073741824' });
    expect(bodyOf({}).HostConfig).not.toHaveProperty('StorageOpt');
  });

  it('keeps the rest of the posture for a privileged one', () => {
    const { HostConfig: plain } = bodyOf({});
    const { HostConfig: privileged } = bodyOf({ privileged: true });
    expect(privileged).toEqual({ ...plain, Privileged: true });
  });

  it('begins in the shared folder unless the spec says where', () => {
    expect(bodyOf({}).WorkingDir).toBe('/shared');
    expect(bodyOf({ workdir: '/tmp' }).WorkingDir).toBe('/tmp');
  });
});

describe('a NUMA node', () => {
  const root = 'test/fixtures/sysfs-two-sockets';

  it('is its cores and its memory', async () => {
    const [first, second] = await Promise.all([cpusetOf(0, root), cpusetOf(1, root)]);
    expect([first.mems, second.mems]).toEqual(['0', '1']);
    expect(first.cpus).toMatch(/^\d+(?:[-,]\d+)*$/);
    expect(second.cpus).not.toBe(first.cpus);
  });

  it('that is not there is refused by the names of those that are', async () => {
    await expect(cpusetOf(5, root)).rejects.toThrow('this machine has no NUMA node 5 (it has 0, 1)');
    await expect(cpusetOf(0, '/nowhere-at-all')).rejects.toThrow('(it has none)');
  });
});

describe('a limit of the disk', () => {
  const line = (point: string, type: string, options: string) =>
    `30 1 8:1 / ${point} rw,relatime - ${type} /dev/sda ${options}`;
  const can = (driver: string, backingFileSystem: string, ...lines: string[]) =>
    canLimitDisk({ driver, backingFileSystem, rootDir: '/data/docker' }, parseMountTable(lines.join('\n')));

  it('needs project quotas under overlay2 on xfs', () => {
    const root = line('/', 'ext4', 'rw');
    expect(can('overlay2', 'xfs', root, line('/data', 'xfs', 'rw,prjquota'))).toBe(true);
    expect(can('overlay2', 'xfs', root, line('/data', 'xfs', 'rw,pquota'))).toBe(true);
    expect(can('overlay2', 'xfs', root, line('/data', 'xfs', 'rw,noquota'))).toBe(false);
    expect(can('overlay2', 'xfs', line('/', 'xfs', 'rw,prjquota'), line('/data', 'xfs', 'rw,noquota'))).toBe(false);
    expect(can('overlay2', 'xfs', root, line('/data/docker2', 'xfs', 'rw,prjquota'))).toBe(false);
    expect(can('overlay2', 'extfs', line('/', 'ext4', 'rw,prjquota'))).toBe(false);
  });

  it('is there with btrfs and zfs, and with no other driver', () => {
    expect([can('btrfs', 'btrfs'), can('zfs', 'zfs'), can('vfs', 'xfs'), can('', '')]).toEqual([
      true,
      true,
      false,
      false,
    ]);
  });

  it('reads a mount point as the kernel writes it', () => {
    expect(parseMountTable(line('/a\\040b\\134c', 'xfs', 'rw'))[0]?.mountPoint).toBe('/a b\\c');
  });
});

describe('what a node offers', () => {
  const mount = (name: string, readOnly: boolean): NodeMount => ({
    name,
    path: `/srv/${name}`,
    readOnly,
    everyWorkload: false,
    target: '/x',
  });
  const facts = { diskLimit: false, folderFault: async () => null, onFault: () => undefined };

  it('is by default what every workload has', async () => {
    const offers = await offersOf(defaultPolicy, facts);
    expect(offers).toContain('capability:CHOWN');
    expect(offers.filter((one) => !one.startsWith('capability:'))).toEqual([]);
    expect(offers).not.toContain('capability:SYS_ADMIN');
  });

  it('is what its file allows and it has', async () => {
    const faults: string[] = [];
    const offers = await offersOf(
      {
        allow: {
          privileged: true,
          hostNetwork: true,
          devices: ['/dev/null', '/dev/absent'],
          capabilities: ['SYS_PTRACE'],
          unisolated: false,
        },
        mounts: [mount('data', false), mount('old', true), mount('gone', false)],
      },
      {
        diskLimit: true,
        folderFault: async (path) => (path === '/srv/gone' ? 'is not there' : null),
        onFault: (name, why) => faults.push(`${name} ${why}`),
      },
    );
    expect(offers.filter((one) => !one.startsWith('capability:'))).toEqual([
      'mount:data',
      'mount:data:rw',
      'mount:old',
      'privileged',
      'network:host',
      'device:/dev/null',
      'disk-limit',
    ]);
    expect(offers).toContain('capability:SYS_PTRACE');
    expect(faults).toEqual(['gone is not there']);
  });
});

describe("the engine's refusal", () => {
  it.each([
    [
      'error setting rlimits for ready process: error setting rlimit type 8: operation not permitted',
      'cannot give the ulimits',
    ],
    ['unable to apply caps: operation not permitted', 'cannot give the capabilities'],
  ])('%s is said in our words', (inner, ours) => {
    const sentence = `OCI runtime create failed: runc create failed: unable to start container process: error during container init: ${inner}: unknown`;
    expect(startError('weir/demo:1', sentence)).toMatchObject({
      code: 'start_failed',
      message: expect.stringContaining(ours),
    });
  });
});
