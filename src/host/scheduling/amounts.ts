import type { Ask } from './constraints.ts';
import type { Shape } from './shape.ts';

const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'] as const;

export function memoryText(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (Math.abs(value) >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${Number(value.toFixed(1))} ${units[unit]}`;
}

export function coresText(cpuMilli: number): string {
  return String(Number((cpuMilli / 1000).toFixed(3)));
}

export function timeText(atMs: number): string {
  return new Date(atMs).toISOString();
}

/** `2 GPUs, 4 cores and 8 GiB`, without what is not asked for. */
export function requestText(shape: Shape): string {
  const parts = [
    ...gpuParts(shape),
    ...(shape.cpuMilli > 0 ? [plural(coresText(shape.cpuMilli), 'core')] : []),
    ...(shape.memoryBytes > 0 ? [memoryText(shape.memoryBytes)] : []),
  ];
  if (parts.length === 0) return 'a task that asks for nothing';
  const last = parts.pop();
  return parts.length === 0 ? `${last}` : `${parts.join(', ')} and ${last}`;
}

/** `named a, labelled b=c`, empty when anything goes. */
export function constraintText({ constraints }: Ask): string {
  const labels = Object.entries(constraints.labels).map(([key, value]) => `${key}=${value}`);
  return [
    ...(constraints.node === null ? [] : [`named ${constraints.node}`]),
    ...(labels.length === 0 ? [] : [`labelled ${labels.sort().join(', ')}`]),
  ].join(', ');
}

export function plural(count: string | number, noun: string): string {
  return `${count} ${noun}${String(count) === '1' ? '' : 's'}`;
}

function gpuParts(shape: Shape): string[] {
  if (shape.gpuCount === 0) return [];
  if (shape.named === null) return [plural(shape.gpuCount, 'GPU')];
  const uuids = shape.ask.gpus !== null && 'uuids' in shape.ask.gpus ? shape.ask.gpus.uuids : [];
  return [`the GPU${shape.gpuCount === 1 ? '' : 's'} ${[...new Set(uuids)].sort().join(', ')}`];
}
