import { formatBytes } from '../../lib/bytes.ts';
import type { GpuLoad, GpuReport, Load } from '../../protocol/node-report.ts';
import type { NodeView } from '../../protocol/node-view.ts';

type Line = readonly [string, string];

/** The GPUs of a node, each with how busy it is where that is known. */
export function gpuLines({ gpus, load }: Pick<NodeView, 'gpus' | 'load'>): Line[] {
  const lines = gpus.flatMap((gpu): Line[] => {
    const name = `gpu ${placeOf(gpu)}`;
    const busy = load?.gpus?.find(({ uuid }) => uuid === gpu.uuid);
    const links = linkText(gpu, gpus);
    return [
      [name, describe(gpu)],
      ...(busy === undefined ? [] : [[`${name} use`, busyText(gpu, busy)] as const]),
      ...(links === '' ? [] : [[`${name} links`, links] as const]),
    ];
  });
  return load?.gpuFault ? [...lines, ['gpu fault', load.gpuFault]] : lines;
}

/** `1`, and of an instance `1:0`. */
function placeOf({ index, mig }: GpuReport): string {
  return mig ? `${index}:${mig.device}` : String(index);
}

function describe({ model, memoryBytes, uuid, mig }: GpuReport): string {
  return `${mig ? `MIG ${mig.profile} of ${model}` : model}, ${formatBytes(memoryBytes)}, ${uuid}`;
}

function busyText({ memoryBytes }: GpuReport, load: GpuLoad): string {
  const { utilisationPercent: use, memoryUsedBytes: used, powerWatts: power, xid } = load;
  const parts = [
    use === null ? null : `${bar(use / 100)} ${round(use)} %`,
    used === null ? null : `${formatBytes(used)}${memoryBytes > 0 ? ` of ${formatBytes(memoryBytes)}` : ''}`,
    withUnit(load.temperatureCelsius, '°C'),
    power === null
      ? null
      : `${round(power)}${load.powerLimitWatts === null ? '' : `/${round(load.powerLimitWatts)}`} W`,
    load.smClockMhz === null ? null : `${load.smClockMhz}/${load.memoryClockMhz ?? '?'} MHz`,
    load.fanPercent === null ? null : `fan ${round(load.fanPercent)} %`,
    load.throttled.length > 0 ? `throttled: ${load.throttled.join(' ')}` : null,
    load.eccUncorrected ? `${load.eccUncorrected} uncorrected memory errors` : null,
    xid === null ? null : `Xid ${xid}`,
    load.persistence === false ? 'no persistence mode' : null,
  ];
  return parts.filter((part) => part !== null).join(', ');
}

/** How full something is: `####......`. */
function bar(share: number): string {
  const full = Math.round(Math.min(1, Math.max(0, share)) * 10);
  return '#'.repeat(full).padEnd(10, '.');
}

/** The others by the kind of the way to them: `NV4 to 1, SYS to 2 3`. */
function linkText({ links = [] }: GpuReport, gpus: readonly GpuReport[]): string {
  const ways = new Map<string, string[]>();
  for (const { uuid, kind, lanes } of links) {
    const other = gpus.find((gpu) => gpu.uuid === uuid);
    const way = kind === 'nvlink' ? `NV${lanes}` : kind.toUpperCase();
    if (other !== undefined) ways.set(way, [...(ways.get(way) ?? []), placeOf(other)]);
  }
  return [...ways].map(([way, others]) => `${way} to ${others.join(' ')}`).join(', ');
}

/** Disks, sensors and the network of a node. */
export function loadLines(load: Load | null): Line[] {
  if (load === null) return [];
  const temperatures = (load.temperatures ?? []).map(({ sensor, celsius }) => `${sensor} ${round(celsius)} °C`);
  const { network } = load;
  return [
    [
      'load',
      `${load.load1}, ${formatBytes(load.memoryAvailableBytes)} of memory and ${formatBytes(load.diskFreeBytes)} of disk free`,
    ],
    ...(load.disks ?? []).map(({ path, totalBytes, freeBytes }): Line => [
      'disk',
      `${path} ${bar(totalBytes === 0 ? 0 : 1 - freeBytes / totalBytes)} ${formatBytes(freeBytes)} of ${formatBytes(totalBytes)} free`,
    ]),
    ...(temperatures.length > 0 ? [['sensors', temperatures.join(', ')] as const] : []),
    ...(network
      ? [
          [
            'network',
            `${network.device}, ${formatBytes(network.receivedBytes)} in, ${formatBytes(network.sentBytes)} out`,
          ] as const,
        ]
      : []),
  ];
}

/** What a wide list says of how busy a node is: load, memory free, GPUs' use, their memory, the hottest thing. */
export function loadCells({ gpus, load }: Pick<NodeView, 'gpus' | 'load'>): string[] {
  if (load === null) return ['', '', '', '', ''];
  const uses = (load.gpus ?? []).flatMap(({ utilisationPercent: use }) => use ?? []);
  const used = (load.gpus ?? []).flatMap(({ memoryUsedBytes }) => memoryUsedBytes ?? []);
  const heats = [
    ...(load.gpus ?? []).flatMap(({ temperatureCelsius }) => temperatureCelsius ?? []),
    ...(load.temperatures ?? []).map(({ celsius }) => celsius),
  ];
  return [
    String(load.load1),
    formatBytes(load.memoryAvailableBytes),
    uses.length === 0 ? '' : `${round(sum(uses) / uses.length)} %`,
    used.length === 0
      ? ''
      : `${formatBytes(sum(used))}/${formatBytes(sum(gpus.map(({ memoryBytes }) => memoryBytes)))}`,
    heats.length === 0 ? '' : `${round(Math.max(...heats))} °C`,
  ];
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((all, one) => all + one, 0);
}

function round(value: number): string {
  return String(Math.round(value));
}

function withUnit(value: number | null, unit: string): string | null {
  return value === null ? null : `${round(value)} ${unit}`;
}
