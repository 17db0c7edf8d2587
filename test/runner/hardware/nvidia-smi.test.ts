import { describe, expect, it } from 'vitest';
import { parseGpuListing } from '../../../src/runner/hardware/nvidia-smi.ts';

const mib = 1024 * 1024;

describe('the listing of nvidia-smi', () => {
  it('is read for several GPUs', () => {
    const { gpus, faults } = parseGpuListing(
      [
        '0, GPU-5d6b2c1e-8e3b-4a7e-9f14-0a6a4f2d9c11, NVIDIA GeForce RTX 3090, 24576, 00000000:21:00.0',
        '1, GPU-1f0a9e0c-2d4b-5c6d-8e9f-aabbccddeeff, NVIDIA GeForce RTX 3090, 24576, 00000000:A1:00.0',
        '',
      ].join('\n'),
    );
    expect(faults).toEqual([]);
    expect(gpus).toEqual([
      {
        index: 0,
        uuid: 'GPU-5d6b2c1e-8e3b-4a7e-9f14-0a6a4f2d9c11',
        model: 'NVIDIA GeForce RTX 3090',
        memoryBytes: 24576 * mib,
        pciAddress: '0000:21:00.0',
      },
      {
        index: 1,
        uuid: 'GPU-1f0a9e0c-2d4b-5c6d-8e9f-aabbccddeeff',
        model: 'NVIDIA GeForce RTX 3090',
        memoryBytes: 24576 * mib,
        pciAddress: '0000:a1:00.0',
      },
    ]);
  });

  it.each(['[N/A]', '[Not Supported]', 'N/A', '[Unknown Error]'])('takes memory of %s for unknown', (memory) => {
    const { gpus } = parseGpuListing(`0, GPU-c0ffee00-1111-2222-3333-444455556666, NVIDIA GB10, ${memory}, 0000000F:01:00.0`);
    expect(gpus).toMatchObject([{ memoryBytes: 0, pciAddress: '000f:01:00.0' }]);
  });

  it('keeps the whole of a domain that is wider than 16 bits', () => {
    const { gpus } = parseGpuListing('0, GPU-c0ffee00-1111-2222-3333-444455556666, H100, 81559, 00010000:01:00.0');
    expect(gpus[0]?.pciAddress).toBe('10000:01:00.0');
  });

  it('keeps commas of a name', () => {
    const { gpus } = parseGpuListing('3, GPU-c0ffee00-1111-2222-3333-444455556666, Quadro, the old, 4096, 00000000:01:00.0');
    expect(gpus).toMatchObject([{ index: 3, model: 'Quadro, the old', memoryBytes: 4096 * mib }]);
  });

  it('names the lines that are no GPU and reads the others', () => {
    const { gpus, faults } = parseGpuListing(
      [
        'Unable to determine the device handle for GPU0000:02:00.0: Unknown Error',
        '1, GPU-c0ffee00-1111-2222-3333-444455556666, NVIDIA A100, 40960, 00000000:41:00.0',
        '2, [Unknown Error], [Unknown Error], [Unknown Error], 00000000:42:00.0',
      ].join('\r\n'),
    );
    expect(gpus.map(({ index }) => index)).toEqual([1]);
    expect(faults).toHaveLength(2);
  });

  it('finds nothing where the tool finds nothing', () => {
    expect(parseGpuListing('No devices were found\n')).toEqual({ gpus: [], faults: [] });
    expect(parseGpuListing('')).toEqual({ gpus: [], faults: [] });
  });
});
