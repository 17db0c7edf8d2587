import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseGpuLoads, loadFields, throttleReasons } from '../../../src/runner/hardware/gpu-load.ts';
import { listingFields, parseListing } from '../../../src/runner/hardware/gpu-listing.ts';
import { parseGpuProcesses, processFields } from '../../../src/runner/hardware/gpu-processes.ts';
import { parseInstanceMemory, parseInstances, profileBytes } from '../../../src/runner/hardware/mig.ts';
import { parseTopology } from '../../../src/runner/hardware/topology.ts';
import { parseXids } from '../../../src/runner/hardware/xid.ts';
import { recorded } from './recorded.ts';

const mib = 1024 * 1024;
const columnsOf = (fields: readonly (readonly string[])[]) => fields.map(([name]) => name ?? null);
const cardsOf = (stdout: string) => parseListing(stdout, columnsOf(listingFields));
const loadsOf = (stdout: string) => parseGpuLoads(stdout, columnsOf(loadFields));

describe('the listing of cards', () => {
  it('is read for several cards', () => {
    const { cards, faults } = cardsOf(recorded('a6000-550.listing.csv'));
    expect(faults).toEqual([]);
    expect(cards.map(({ index, pciBusId }) => [index, pciBusId])).toEqual([
      [0, '0000:21:00.0'],
      [1, '0000:3b:00.0'],
      [2, '0000:a1:00.0'],
      [3, '0000:c1:00.0'],
    ]);
    expect(cards[0]).toEqual({
      index: 0,
      uuid: 'GPU-5d6b2c1e-8e3b-4a7e-9f14-0a6a4f2d9c11',
      model: 'NVIDIA RTX A6000',
      memoryBytes: 49140 * mib,
      pciBusId: '0000:21:00.0',
      migEnabled: false,
    });
  });

  it('tells cards that are split from those that are whole', () => {
    expect(cardsOf(recorded('a100-mig-535.listing.csv')).cards.map(({ migEnabled }) => migEnabled)).toEqual([
      true,
      true,
      false,
    ]);
  });

  it.each(['[N/A]', '[Not Supported]', 'N/A', '[Unknown Error]', 'ERR!'])(
    'takes memory of %s for unknown',
    (memory) => {
      const { cards } = cardsOf(
        `GPU-c0ffee00-1111-2222-3333-444455556666, 0, ${memory}, 0000000F:01:00.0, [N/A], NVIDIA GB10`,
      );
      expect(cards).toMatchObject([{ memoryBytes: 0, pciBusId: '000f:01:00.0' }]);
    },
  );

  it('keeps the whole of a domain that is wider than 16 bits, and commas of a name', () => {
    const { cards } = cardsOf(
      'GPU-c0ffee00-1111-2222-3333-444455556666, 3, 81559, 00010000:01:00.0, Disabled, Quadro, the old',
    );
    expect(cards).toMatchObject([{ index: 3, pciBusId: '10000:01:00.0', model: 'Quadro, the old' }]);
  });

  it('names the lines that are no card and reads the others', () => {
    const { cards, faults } = cardsOf(recorded('lost-550.listing.csv').replaceAll('\n', '\r\n'));
    expect(cards.map(({ index }) => index)).toEqual([0]);
    expect(faults).toEqual(['Unable to determine the device handle for GPU0000:A1:00.0: Unknown Error']);
    expect(cardsOf('GPU-c0ffee00-1111-2222-3333-444455556666, [Unknown Error], 1, x, [N/A], y').faults).toHaveLength(1);
  });

  it('finds nothing where the tool finds nothing', () => {
    expect(cardsOf('No devices were found\n')).toEqual({ cards: [], faults: [] });
    expect(cardsOf('')).toEqual({ cards: [], faults: [] });
  });
});

describe('the load of cards', () => {
  it('is read from busy, throttled, idle and dumb ones', () => {
    const { loads, faults } = loadsOf(recorded('a6000-550.load.csv'));
    expect(faults).toEqual([]);
    expect(loads[0]).toEqual({
      uuid: 'GPU-5d6b2c1e-8e3b-4a7e-9f14-0a6a4f2d9c11',
      utilisationPercent: 97,
      memoryUsedBytes: 41203 * mib,
      smClockMhz: 1800,
      memoryClockMhz: 7600,
      powerWatts: 287.43,
      powerLimitWatts: 300,
      temperatureCelsius: 84,
      fanPercent: 76,
      throttled: ['sw_power_cap'],
      eccUncorrected: 0,
      persistence: true,
    });
    expect(loads[1]).toMatchObject({
      throttled: ['hw_slowdown', 'sw_thermal_slowdown', 'hw_thermal_slowdown'],
      eccUncorrected: 2,
    });
    expect(loads[2]).toMatchObject({ utilisationPercent: 0, throttled: [] });
    expect(loads[3]).toMatchObject({
      utilisationPercent: null,
      powerWatts: null,
      temperatureCelsius: null,
      eccUncorrected: null,
    });
  });

  it('is unknown where a GeForce does not support it or the tool fails at a field', () => {
    expect(loadsOf(recorded('geforce-570.load.csv')).loads).toMatchObject([
      {
        smClockMhz: null,
        memoryClockMhz: null,
        powerWatts: null,
        fanPercent: null,
        eccUncorrected: null,
        temperatureCelsius: 31,
        persistence: false,
      },
    ]);
  });

  it('leaves out a card that is lost, and says so', () => {
    const { loads, faults } = loadsOf(recorded('lost-570.load.csv'));
    expect(loads).toHaveLength(1);
    expect(faults).toEqual(['[GPU is lost]']);
  });

  it('keeps its columns where the driver does not know a field', () => {
    const columns = columnsOf(loadFields).map((name) => (name === 'fan.speed' ? null : name));
    const { loads } = parseGpuLoads('GPU-c0ffee00-1111, 5, 10, 1, 2, 3, 4, 55, 0x04, 7, Disabled', columns);
    expect(loads).toMatchObject([
      { temperatureCelsius: 55, fanPercent: null, throttled: ['sw_power_cap'], eccUncorrected: 7 },
    ]);
  });

  it('takes neither idleness nor chosen clocks for throttling, nor words for a mask', () => {
    expect(throttleReasons('0x0000000000000103')).toEqual([]);
    expect(throttleReasons('0x00000000000000FC')).toHaveLength(6);
    for (const words of ['[N/A]', 'Not Active', '', '0x', '12']) expect(throttleReasons(words)).toEqual([]);
  });

  it('is read from anything without a failure', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        const { loads, faults } = loadsOf(text);
        expect(loads.length + faults.length).toBeLessThanOrEqual(text.split('\n').length);
      }),
    );
  });
});

describe('MIG instances', () => {
  it('are listed with their card, profile and place', () => {
    const instances = parseInstances(recorded('a100-mig-535.L.txt'));
    expect(instances.map(({ parent, device, profile }) => [parent.slice(0, 8), device, profile])).toEqual([
      ['GPU-5d5b', 0, '3g.20gb'],
      ['GPU-5d5b', 1, '1g.5gb+me'],
      ['GPU-5d5b', 2, '1c.3g.20gb'],
    ]);
    expect(instances[0]?.uuid).toBe('MIG-c6d4f1ef-42e4-5de3-91c7-45d71c87eb3f');
  });

  it('are read in the form of older drivers', () => {
    expect(parseInstances(recorded('a100-mig-450.L.txt'))).toMatchObject([
      { device: 0, profile: '2g.10gb', uuid: 'MIG-GPU-5d5ba0d6-d33d-2b2c-524d-9e3d8d2b8a77/3/0' },
      { device: 1, profile: '1g.5gb' },
    ]);
  });

  it('are none below a line that is no card', () => {
    const text =
      'Unable to determine the device handle for gpu 0000:10:00.0: Unknown Error\n  MIG 1g.5gb      Device  0: (UUID: MIG-1)\n';
    expect(parseInstances(text)).toEqual([]);
  });

  it('tell their own memory, not that of their card', () => {
    const memories = parseInstanceMemory(recorded('a100-mig-535.xml'));
    expect(
      memories.map(({ device, totalBytes, usedBytes }) => [device, (totalBytes ?? 0) / mib, (usedBytes ?? 0) / mib]),
    ).toEqual([
      [0, 19968, 3387],
      [1, 4864, 13],
      [2, 19968, 112],
    ]);
    expect(new Set(memories.map(({ parent }) => parent))).toEqual(
      new Set(['GPU-5d5ba0d6-d33d-2b2c-524d-9e3d8d2b8a77']),
    );
    expect(parseInstanceMemory('not XML')).toEqual([]);
  });

  it('are promised less than they have where nobody tells', () => {
    expect(profileBytes('3g.20gb')).toBeLessThanOrEqual(19968 * mib);
    expect(profileBytes('1g.5gb+me')).toBe(5e9);
    expect(profileBytes('1c.3g.20gb')).toBe(20e9);
    expect(profileBytes('odd')).toBe(0);
  });
});

describe('the topology', () => {
  it('tells NVLinks and what goes over the sockets, with the header underlined', () => {
    const links = parseTopology(recorded('a6000-550.topo.txt'));
    expect(links).toHaveLength(12);
    expect(links).toContainEqual({ from: 0, to: 1, kind: 'nvlink', lanes: 4 });
    expect(links).toContainEqual({ from: 3, to: 2, kind: 'nvlink', lanes: 4 });
    expect(links).toContainEqual({ from: 0, to: 3, kind: 'sys', lanes: 0 });
  });

  it('tells every kind of PCIe path, where cells are empty too', () => {
    const from0 = parseTopology(recorded('pcie-535.topo.txt')).filter(({ from }) => from === 0);
    expect(from0.map(({ to, kind }) => [to, kind])).toEqual([
      [1, 'pix'],
      [2, 'pxb'],
      [3, 'phb'],
      [4, 'node'],
    ]);
  });

  it.each(['pcie-535.topo.txt', 'a6000-550.topo.txt'])('is the same in both directions (%s)', (name) => {
    const links = parseTopology(recorded(name));
    for (const { from, to, kind, lanes } of links) expect(links).toContainEqual({ from: to, to: from, kind, lanes });
  });

  it('is empty where there is no matrix', () => {
    expect(parseTopology('')).toEqual([]);
    expect(parseTopology('Failed to run topology matrix\n')).toEqual([]);
    expect(parseTopology('\tGPU0\tGPU1\nGPU0\t X \t???\n')).toEqual([]);
  });
});

describe('processes on GPUs', () => {
  it('are read without those that are gone', () => {
    const processes = parseGpuProcesses(recorded('processes-550.csv'), columnsOf(processFields));
    expect(processes.map(({ uuid, pid, memoryBytes }) => [uuid.slice(0, 8), pid, memoryBytes / mib])).toEqual([
      ['GPU-5d6b', 41237, 40960],
      ['GPU-1f0a', 41237, 47000],
      ['GPU-1f0a', 51002, 512],
      ['GPU-77c1', 51003, 0],
    ]);
  });
});

describe('errors in the log of the kernel', () => {
  it('are the last of each card', () => {
    expect([...parseXids(recorded('kernel-log.txt'))]).toEqual([
      ['0000:3b:00.0', 48],
      ['0000:a1:00.0', 79],
    ]);
    expect(parseXids('').size).toBe(0);
  });
});
