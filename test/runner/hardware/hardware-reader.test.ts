import { fileURLToPath } from 'node:url';
import * as v from 'valibot';
import { describe, expect, it } from 'vitest';
import { silentLogger } from '../../../src/lib/logger.ts';
import { type RunTool, runTool, type ToolResult } from '../../../src/lib/node/run-tool.ts';
import { hardwareSchema, loadSchema } from '../../../src/protocol/node-report.ts';
import { parseCpuList } from '../../../src/runner/hardware/cpu-list.ts';
import { createHardwareReader, type HardwareReader } from '../../../src/runner/hardware/hardware-reader.ts';
import { exited, listing, loads, recorded, recordedTool } from './recorded.ts';

const never = new AbortController().signal;
const gib = 1024 ** 3;

interface Bench {
  reader: HardwareReader;
  warnings: unknown[];
}

function readerOf(tree: string, answers: ToolResult[] = [{ outcome: 'absent' }], run?: RunTool): Bench {
  const warnings: unknown[] = [];
  let nowMs = 0;
  const reader = createHardwareReader({
    root: tree === '/' ? '/' : fileURLToPath(new URL(`../../fixtures/${tree}`, import.meta.url)),
    architecture: 'x86_64',
    dataDir: '/',
    run: run ?? (async () => (answers.length > 1 ? answers.shift() : answers[0]) ?? { outcome: 'absent' }),
    log: { ...silentLogger, warn: (fields) => warnings.push(fields['fault']) },
    engine: async () => ({ name: 'docker', version: '20.10.24', cgroup: 'v2', storageDriver: 'overlay2' }),
    clock: { monotonic: () => (nowMs += 3_600_000) },
    loopLagMs: () => 1.5,
  });
  return { reader, warnings };
}

const twoGpusText =
  'GPU-5d6b2c1e-8e3b-4a7e-9f14-0a6a4f2d9c11, 0, 49140, 00000000:21:00.0, [N/A], NVIDIA RTX A6000\n' +
  'GPU-1f0a9e0c-2d4b-5c6d-8e9f-aabbccddeeff, 1, 49140, 00000000:A1:00.0, [N/A], NVIDIA RTX A6000\n';
const twoGpus = exited(twoGpusText);

const noMatrix = exited('', 1);

describe('reading the hardware', () => {
  it('reads a server with two sockets and GPUs at both', async () => {
    const { reader } = readerOf('sysfs-two-sockets', [twoGpus]);
    const hardware = await reader.readHardware(never);
    expect(v.is(hardwareSchema, hardware)).toBe(true);
    expect(hardware).toMatchObject({
      hostname: 'gpu1',
      kernel: '6.1.0-18-amd64',
      architecture: 'x86_64',
      cpuModel: 'AMD EPYC 7313 16-Core Processor',
      cpuMilli: 64_000,
      memoryBytes: 264027640 * 1024,
    });
    expect(hardware.numa.map(({ node, cpus, memoryBytes }) => [node, cpus.length, cpus[16], memoryBytes])).toEqual([
      [0, 32, 32, 131924012 * 1024],
      [1, 32, 48, 132103628 * 1024],
    ]);
    expect(hardware.gpus.map(({ uuid, numaNode }) => [uuid.slice(0, 8), numaNode])).toEqual([
      ['GPU-5d6b', 0],
      ['GPU-1f0a', 1],
    ]);
    expect(hardware.engine?.version).toBe('20.10.24');
    expect(await reader.readIdentity()).toEqual({
      machineId: '6f1c0d6c7a6f4c0f9f3b8a4a2f0d1e22',
      bootId: '0e2f6a1c-52b7-44a4-9a51-2f3b1d3c9a10',
    });
  });

  it('keeps within the limits of a container (cgroup v2)', async () => {
    const { reader } = readerOf('sysfs-container-v2');
    const hardware = await reader.readHardware(never);
    expect(hardware).toMatchObject({ cpuMilli: 2500, memoryBytes: 4 * gib, cpuModel: null, numa: [], gpus: [] });
    const load = await reader.readLoad();
    expect(v.is(loadSchema, load)).toBe(true);
    expect(load).toMatchObject({ load1: 0.08, memoryAvailableBytes: 2.5 * gib, loopLagMs: 1.5 });
  });

  it('keeps within the limits of a container (cgroup v1)', async () => {
    const { reader } = readerOf('sysfs-container-v1');
    expect(await reader.readHardware(never)).toMatchObject({ cpuMilli: 3000, memoryBytes: 2 * gib });
    expect(await reader.readLoad()).toMatchObject({ memoryAvailableBytes: 1.25 * gib });
    expect(await reader.readIdentity()).toEqual({ machineId: '', bootId: '' });
  });

  it('knows no NUMA node of a GPU where the firmware does not say', async () => {
    const answer = exited('GPU-5d6b2c1e-8e3b-4a7e-9f14-0a6a4f2d9c11, 0, 1, 00000000:3B:00.0, [N/A], X\n');
    const { reader } = readerOf('sysfs-two-sockets', [answer]);
    expect((await reader.readHardware(never)).gpus).toMatchObject([{ numaNode: null }]);
  });

  it('finds no GPU where there is no tool, and complains of nothing', async () => {
    const { reader, warnings } = readerOf('sysfs-two-sockets');
    expect((await reader.readHardware(never)).gpus).toEqual([]);
    expect(warnings).toEqual([]);
  });

  it.each<[string, ToolResult, RegExp]>([
    ['hangs', { outcome: 'timed_out', afterMs: 20_000 }, /did not answer within 20 s/],
    [
      'fails',
      exited('', 9, "NVIDIA-SMI has failed because it couldn't communicate with the driver"),
      /code 9: NVIDIA-SMI has failed/,
    ],
  ])('says so when the tool %s, and takes no GPU away', async (_what, broken, message) => {
    const { reader, warnings } = readerOf('sysfs-two-sockets', [twoGpus, noMatrix, broken]);
    expect((await reader.readHardware(never)).gpus).toHaveLength(2);
    expect((await reader.readHardware(never)).gpus).toHaveLength(2);
    expect(warnings).toEqual([expect.stringMatching(message)]);
  });

  it('leaves out a GPU that is lost while the others are there', async () => {
    const oneLost = exited(
      'GPU-5d6b2c1e-8e3b-4a7e-9f14-0a6a4f2d9c11, 0, 49140, 00000000:21:00.0, [N/A], NVIDIA RTX A6000\n' +
        'Unable to determine the device handle for GPU0000:A1:00.0: Unknown Error\n',
    );
    const { reader, warnings } = readerOf('sysfs-two-sockets', [twoGpus, noMatrix, oneLost]);
    await reader.readHardware(never);
    expect((await reader.readHardware(never)).gpus).toHaveLength(1);
    expect(warnings).toEqual([expect.stringMatching(/Unable to determine/)]);
  });

  it('says that it is time to list anew when other cards answer than were listed', async () => {
    const answers = {
      [listing]: recorded('a6000-550.listing.csv'),
      [loads]: recorded('a6000-550.load.csv'),
      dmesg: recorded('kernel-log.txt'),
    };
    const { reader } = readerOf('sysfs-two-sockets', [], recordedTool(answers).run);
    await reader.readHardware(never);
    const before = await reader.readGpuLoads(never);
    expect(before).toMatchObject({ moved: false, fault: null });
    expect(before.loads.map(({ xid }) => xid)).toEqual([null, 48, 79, null]);
    answers[listing] = recorded('lost-550.listing.csv');
    answers[loads] = recorded('lost-570.load.csv');
    expect(await reader.readGpuLoads(never)).toMatchObject({
      moved: true,
      fault: expect.stringContaining('GPU is lost'),
    });
    await reader.readHardware(never);
    expect(await reader.readGpuLoads(never)).toMatchObject({ moved: false });
  });

  it('does not take a tool that fails for cards that went', async () => {
    const answers: Record<string, ToolResult | string> = { [listing]: recorded('a6000-550.listing.csv') };
    const { reader } = readerOf('sysfs-two-sockets', [], recordedTool(answers).run);
    await reader.readHardware(never);
    answers[loads] = exited('', 9, 'driver');
    expect(await reader.readGpuLoads(never)).toMatchObject({
      moved: false,
      loads: [],
      fault: 'nvidia-smi ended with code 9: driver',
    });
  });

  it('reads the machine that this test runs on', async () => {
    const { reader } = readerOf('/', [], runTool);
    const hardware = await reader.readHardware(never);
    expect(v.is(hardwareSchema, hardware)).toBe(true);
    expect(hardware.cpuMilli).toBeGreaterThanOrEqual(100);
    expect(hardware.memoryBytes).toBeGreaterThan(64 * 1024 * 1024);
    const load = await reader.readLoad();
    expect(load.diskFreeBytes).toBeGreaterThan(0);
    expect(load.memoryAvailableBytes).toBeLessThanOrEqual(hardware.memoryBytes);
    expect(v.is(loadSchema, load)).toBe(true);
    for (const { freeBytes, totalBytes } of load.disks ?? []) expect(freeBytes).toBeLessThanOrEqual(totalBytes);
  });
});

describe('lists of CPUs', () => {
  it.each([
    ['0-3,8,10-11\n', [0, 1, 2, 3, 8, 10, 11]],
    ['5', [5]],
    ['\n', []],
    ['none', []],
  ])('reads %j', (text, cpus) => expect(parseCpuList(text)).toEqual(cpus));
});
