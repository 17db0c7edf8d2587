import { fileURLToPath } from 'node:url';
import * as v from 'valibot';
import { describe, expect, it } from 'vitest';
import { gpuLoadSchema, gpuReportSchema, type GpuReport } from '../../../src/protocol/node-report.ts';
import { createMachineFiles } from '../../../src/runner/hardware/machine-files.ts';
import { readGpuLoads, readGpuProcesses, readGpus } from '../../../src/runner/hardware/read-gpus.ts';
import { createSmi } from '../../../src/runner/hardware/smi.ts';
import { type Answers, exited, listing, loads, recorded, recordedTool } from './recorded.ts';

const never = new AbortController().signal;
const mib = 1024 * 1024;
const files = createMachineFiles(fileURLToPath(new URL('../../fixtures/sysfs-two-sockets', import.meta.url)));

function machineOf(answers: Answers) {
  const { run, asked } = recordedTool(answers);
  return { smi: createSmi({ run, clock: { monotonic: () => 0 } }), asked };
}

const a6000: Answers = {
  [listing]: recorded('a6000-550.listing.csv'),
  [loads]: recorded('a6000-550.load.csv'),
  'topo -m': recorded('a6000-550.topo.txt'),
  '--query-compute-apps': recorded('processes-550.csv'),
};
const a100: Answers = {
  [listing]: recorded('a100-mig-535.listing.csv'),
  [loads]: recorded('a100-mig-535.load.csv'),
  '-L': recorded('a100-mig-535.L.txt'),
  '-q -x': recorded('a100-mig-535.xml'),
};
const uuidStart = ({ uuid }: Pick<GpuReport, 'uuid'>): string => uuid.slice(0, 8);

describe('the GPUs of a machine', () => {
  it('are whole cards with their links and NUMA nodes', async () => {
    const { smi } = machineOf(a6000);
    const { gpus, fault } = await readGpus(files, smi, never);
    expect(fault).toBeNull();
    expect(gpus.every((gpu) => v.is(gpuReportSchema, gpu))).toBe(true);
    expect(gpus.map(({ index, numaNode, mig }) => [index, numaNode, mig])).toEqual([
      [0, 0, null],
      [1, null, null],
      [2, 1, null],
      [3, null, null],
    ]);
    expect(gpus[0]?.links?.map(({ uuid, kind, lanes }) => [uuid.slice(0, 8), kind, lanes])).toEqual([
      ['GPU-1f0a', 'nvlink', 4],
      ['GPU-77c1', 'sys', 0],
      ['GPU-90e8', 'sys', 0],
    ]);
  });

  it('are the instances of a card that is split, never both, and nothing of one that is split into none', async () => {
    const { smi, asked } = machineOf(a100);
    const { gpus, cards, fault } = await readGpus(files, smi, never);
    expect(fault).toBeNull();
    expect(gpus.map((gpu) => [uuidStart(gpu), gpu.index, gpu.mig?.profile ?? 'whole', gpu.memoryBytes / mib])).toEqual([
      ['MIG-c6d4', 0, '3g.20gb', 19968],
      ['MIG-cba6', 0, '1g.5gb+me', 4864],
      ['MIG-3c2b', 0, '1c.3g.20gb', 19968],
      ['GPU-61a6', 2, 'whole', 40960],
    ]);
    expect(gpus[1]).toMatchObject({
      model: 'NVIDIA A100-SXM4-40GB',
      mig: { parent: cards[0], device: 1 },
      links: [],
      pciBusId: '0000:10:00.0',
    });
    expect(cards).toHaveLength(3);
    expect(asked).not.toContain('topo -m');
  });

  it('go by the name of the profile where no memory is told', async () => {
    const { smi } = machineOf({ ...a100, '-q -x': '<nvidia_smi_log></nvidia_smi_log>' });
    const { gpus } = await readGpus(files, smi, never);
    expect(gpus[0]?.memoryBytes).toBe(20e9);
  });

  it.each<[string, Answers]>([
    ['instances cannot be listed', { ...a100, '-L': exited('', 255, 'Unknown Error') }],
    ['the details hang', { ...a100, '-q -x': { outcome: 'timed_out', afterMs: 20_000 } }],
    ['the topology hangs', { ...a6000, 'topo -m': { outcome: 'timed_out', afterMs: 20_000 } }],
  ])('are not half told when %s', async (_what, answers) => {
    const reading = await readGpus(files, machineOf(answers).smi, never);
    expect(reading).toMatchObject({ gpus: [], cards: [] });
    expect(reading.fault).toMatch(/nvidia-smi/);
  });

  it('have no links where there is no matrix', async () => {
    const { gpus, fault } = await readGpus(
      files,
      machineOf({ ...a6000, 'topo -m': exited('', 1, 'not supported') }).smi,
      never,
    );
    expect(fault).toBeNull();
    expect(gpus.map(({ links }) => links)).toEqual([[], [], [], []]);
  });
});

describe('how busy GPUs are', () => {
  it('is told for whole cards, with the last error of the kernel', async () => {
    const { smi } = machineOf(a6000);
    const { gpus } = await readGpus(files, smi, never);
    const sample = await readGpuLoads(smi, { gpus, xids: new Map([['0000:3b:00.0', 48]]) }, never);
    expect(sample.loads.every((load) => v.is(gpuLoadSchema, load))).toBe(true);
    expect(sample.loads.map(({ utilisationPercent, xid }) => [utilisationPercent, xid])).toEqual([
      [97, null],
      [100, 48],
      [0, null],
      [null, null],
    ]);
  });

  it('is told for instances by their own memory, and power is counted once', async () => {
    const { smi } = machineOf(a100);
    const { gpus } = await readGpus(files, smi, never);
    const { loads: told } = await readGpuLoads(smi, { gpus, xids: new Map() }, never);
    expect(
      told.map((load) => [
        uuidStart(load),
        (load.memoryUsedBytes ?? 0) / mib,
        load.utilisationPercent,
        load.powerWatts,
        load.temperatureCelsius,
      ]),
    ).toEqual([
      ['MIG-c6d4', 3387, null, null, 52],
      ['MIG-cba6', 13, null, null, 52],
      ['MIG-3c2b', 112, null, null, 52],
      ['GPU-61a6', 512, 3, 71.4, 36],
    ]);
  });

  it('misses a card that is lost, and says why', async () => {
    const { smi } = machineOf({ ...a6000, [loads]: recorded('lost-570.load.csv') });
    const { gpus } = await readGpus(files, smi, never);
    const sample = await readGpuLoads(smi, { gpus, xids: new Map() }, never);
    expect(sample.cards).toHaveLength(1);
    expect(sample.fault).toMatch(/GPU is lost/);
  });

  it('is told by process', async () => {
    expect(await readGpuProcesses(machineOf(a6000).smi, never)).toHaveLength(4);
    expect(await readGpuProcesses(machineOf({}).smi, never)).toEqual([]);
  });
});
