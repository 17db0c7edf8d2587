import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { parseDisks } from '../../../src/runner/hardware/disks.ts';
import { createMachineFiles } from '../../../src/runner/hardware/machine-files.ts';
import { mainInterface, readNetwork, readTemperatures } from '../../../src/runner/hardware/sensors.ts';

const files = createMachineFiles(fileURLToPath(new URL('../../fixtures/sysfs-sensors', import.meta.url)));

describe('temperatures', () => {
  it('are those of hwmon by chip and label, and of zones that have no chip there', async () => {
    expect(await readTemperatures(files)).toEqual([
      { sensor: 'nvme Composite', celsius: 41.85 },
      { sensor: 'k10temp Tctl', celsius: 67.25 },
      { sensor: 'k10temp temp3', celsius: -4.5 },
      { sensor: 'x86_pkg_temp', celsius: 66 },
    ]);
  });

  it('are none where there are no sensors', async () => {
    expect(await readTemperatures(createMachineFiles('/nowhere-at-all'))).toEqual([]);
  });
});

describe('the network', () => {
  it('is that of the default route with the lowest metric', async () => {
    expect(await readNetwork(files)).toEqual({ device: 'enp1s0', receivedBytes: 987654321012, sentBytes: 123456789 });
  });

  it('is none without a default route, whatever names stand there', () => {
    expect(mainInterface('Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\n')).toBeNull();
    expect(mainInterface('../x\t00000000\t0\t3\t0\t0\t0\t00000000\t0\t0\t0')).toBeNull();
  });
});

describe('disks', () => {
  it('are one for each local device, never one of the network', () => {
    const mounts = [
      'sysfs /sys sysfs rw 0 0',
      '/dev/nvme0n1p2 / ext4 rw 0 0',
      '/dev/nvme0n1p2 /var/lib/docker/plugins ext4 rw 0 0',
      '/dev/md0 /data\\040of\\040all xfs rw 0 0',
      'tank/home /home zfs rw 0 0',
      '/dev/loop3 /snap/core/1 squashfs ro 0 0',
      'nas:/export /mnt/nas nfs4 rw 0 0',
      '//nas/share /mnt/cifs cifs rw 0 0',
      'overlay /var/lib/docker/overlay2/x/merged overlay rw 0 0',
    ];
    expect(parseDisks(mounts.join('\n'))).toEqual(['/', '/data of all', '/home']);
    expect(parseDisks('')).toEqual([]);
  });
});
