import { describe, expect, it } from 'vitest';
import * as v from 'valibot';
import { nodeSheet, nodeTable, wideNodeTable } from '../../src/cli/output/node-text.ts';
import { taskSheet } from '../../src/cli/output/task-sheet.ts';
import { nodeViewSchema, type NodeView } from '../../src/protocol/node-view.ts';
import { taskViewSchema } from '../../src/protocol/task-view.ts';

const gib = 1024 ** 3;
const look = { style: (_: unknown, text: string) => text, nowMs: Date.parse('2026-05-01T10:00:10.000Z') };
const card = { model: 'NVIDIA RTX A6000', memoryBytes: 48 * gib, numaNode: 0 };
const busy = {
  uuid: 'GPU-a',
  utilisationPercent: 97,
  memoryUsedBytes: 12 * gib,
  smClockMhz: 1290,
  memoryClockMhz: 7600,
  powerWatts: 287.4,
  powerLimitWatts: 300,
  temperatureCelsius: 91,
  fanPercent: 76,
  throttled: ['sw_thermal_slowdown'],
  eccUncorrected: 2,
  persistence: false,
  xid: 48,
};
const silent = {
  ...busy,
  uuid: 'MIG-b',
  utilisationPercent: null,
  memoryUsedBytes: gib,
  smClockMhz: null,
  powerWatts: null,
  temperatureCelsius: null,
  fanPercent: null,
  throttled: [],
  eccUncorrected: null,
  persistence: true,
  xid: null,
};

function node(more: Partial<NodeView> = {}): NodeView {
  const view: NodeView = v.parse(nodeViewSchema, {
    id: 'n1',
    name: 'gpu1',
    state: 'ready',
    draining: null,
    labels: { pool: 'night' },
    rev: 3,
    version: '0.1.0',
    capacity: { cpus: 64, memory: 256 * gib, gpus: 3 },
    allocated: { cpus: 1, memory: gib, gpus: 1 },
    gpus: [
      { ...card, uuid: 'GPU-a', index: 0, links: [{ uuid: 'GPU-c', kind: 'nvlink', lanes: 4 }] },
      {
        ...card,
        uuid: 'MIG-b',
        index: 1,
        memoryBytes: 20 * gib,
        mig: { parent: 'GPU-b', profile: '3g.20gb', device: 2 },
        links: [],
      },
      { ...card, uuid: 'GPU-c', index: 2, links: [{ uuid: 'GPU-a', kind: 'nvlink', lanes: 4 }] },
    ],
    hardware: null,
    load: {
      load1: 3.5,
      memoryAvailableBytes: 200 * gib,
      diskFreeBytes: 100 * gib,
      loopLagMs: 1,
      gpus: [busy, silent],
      gpuFault: 'nvidia-smi said: GPU is lost',
      disks: [{ path: '/', totalBytes: 400 * gib, freeBytes: 100 * gib }],
      temperatures: [{ sensor: 'k10temp Tctl', celsius: 67.25 }],
      network: { device: 'enp1s0', receivedBytes: 5 * gib, sentBytes: gib },
    },
    joinedAt: '2026-05-01T09:00:00.000Z',
    lastContactAt: '2026-05-01T10:00:05.000Z',
    tasks: 1,
  });
  return { ...view, ...more };
}

const lineOf = (text: string, key: string): string | undefined =>
  text
    .split('\n')
    .find((line) => line.startsWith(`${key}:`))
    ?.slice(key.length + 1)
    .trim();

describe('a node on the terminal', () => {
  it('shows each GPU with how busy, hot, throttled and broken it is', () => {
    const text = nodeSheet(node(), look);
    expect(lineOf(text, 'gpu 0')).toBe('NVIDIA RTX A6000, 48 GiB, GPU-a');
    expect(lineOf(text, 'gpu 0 use')).toBe(
      '########## 97 %, 12 GiB of 48 GiB, 91 °C, 287/300 W, 1290/7600 MHz, fan 76 %, throttled: sw_thermal_slowdown, 2 uncorrected memory errors, Xid 48, no persistence mode',
    );
    expect(lineOf(text, 'gpu 0 links')).toBe('NV4 to 2');
    expect(lineOf(text, 'gpu fault')).toBe('nvidia-smi said: GPU is lost');
  });

  it('shows an instance by its card and profile, and leaves out what nobody tells', () => {
    const text = nodeSheet(node(), look);
    expect(lineOf(text, 'gpu 1:2')).toBe('MIG 3g.20gb of NVIDIA RTX A6000, 20 GiB, MIG-b');
    expect(lineOf(text, 'gpu 1:2 use')).toBe('1 GiB of 20 GiB');
    expect(lineOf(text, 'gpu 2 use')).toBeUndefined();
  });

  it('shows its disks, sensors and network', () => {
    const text = nodeSheet(node(), look);
    expect(lineOf(text, 'disk')).toBe('/ ########.. 100 GiB of 400 GiB free');
    expect(lineOf(text, 'sensors')).toBe('k10temp Tctl 67 °C');
    expect(lineOf(text, 'network')).toBe('enp1s0, 5 GiB in, 1 GiB out');
  });

  it('has a wide list with how busy it is', () => {
    const [head = '', row = ''] = wideNodeTable([node()], look).split('\n');
    expect(head).toMatch(/SEEN +LOAD +FREE +GPU USE +GPU MEMORY +HOTTEST +WEIR +LABELS$/);
    expect(row).toMatch(/5s ago +3\.5 +200 GiB +97 % +13 GiB\/116 GiB +91 °C +0\.1\.0 +pool=night$/);
    expect(nodeTable([node()], look)).not.toContain('LOAD');
  });

  it('is shown as well by a Host or of a Runner that tells none of it', () => {
    const bare = node({ gpus: [{ ...card, uuid: 'GPU-a', index: 0 }], load: null });
    expect(lineOf(nodeSheet(bare, look), 'gpu 0')).toContain('GPU-a');
    expect(wideNodeTable([bare], look)).toMatch(/5s ago +- +- +- +- +- +0\.1\.0/);
    const old = node({ load: { load1: 1, memoryAvailableBytes: gib, diskFreeBytes: gib, loopLagMs: 0 } });
    expect(nodeSheet(old, look)).not.toContain('gpu fault');
  });
});

describe('a task on the terminal', () => {
  const task = (more: Record<string, unknown>) =>
    v.parse(taskViewSchema, {
      id: 't1',
      name: 'train',
      owner: 'ann',
      state: 'running',
      stuck: false,
      priority: 'normal',
      node: 'n1',
      nodeName: 'gpu1',
      attempt: 1,
      rev: 4,
      reason: null,
      reasons: [],
      end: null,
      createdAt: '2026-05-01T09:00:00.000Z',
      startedAt: '2026-05-01T09:00:01.000Z',
      endedAt: null,
      labels: {},
      gpus: ['GPU-a'],
      spec: {},
      ...more,
    });

  it('shows what it uses now', () => {
    const usage = { cpus: 1.504, memory: 4 * gib, gpus: [{ uuid: 'GPU-a', memory: 40 * gib }] };
    expect(lineOf(taskSheet(task({ usage }), look), 'uses')).toBe('1.5 cores, 4 GiB, 40 GiB on GPU-a');
    expect(lineOf(taskSheet(task({ usage: { cpus: null, memory: 64, gpus: [] } }), look), 'uses')).toBe('64 B');
    for (const none of [{}, { usage: null }]) expect(lineOf(taskSheet(task(none), look), 'uses')).toBeUndefined();
  });
});
