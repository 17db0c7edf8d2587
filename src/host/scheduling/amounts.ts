import { conditionText } from '../../protocol/label-expression.ts';
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
  const last = parts.pop() ?? 'a task that asks for nothing';
  const all = parts.length === 0 ? last : `${parts.join(', ')} and ${last}`;
  return shape.numaNode === null ? all : `${all} on NUMA node ${shape.numaNode}`;
}

/** `named a, labelled b=c, !d, with mount:e`, empty when anything goes. */
export function constraintText({ constraints }: Ask): string {
  const labels = Object.entries(constraints.labels).map(([key, value]) => `${key}=${value}`);
  const conditions = constraints.conditions?.map(conditionText) ?? [];
  const wanted = [...labels.sort(), ...conditions];
  const needs = [...(constraints.needs ?? [])].sort();
  return [
    ...(constraints.node === null ? [] : [`named ${constraints.node}`]),
    ...(wanted.length === 0 ? [] : [`labelled ${wanted.join(', ')}`]),
    ...(needs.length === 0 ? [] : [`with ${needs.join(', ')}`]),
  ].join(', ');
}

export function plural(count: string | number, noun: string): string {
  return `${count} ${noun}${String(count) === '1' ? '' : 's'}`;
}

/** `2 GPUs of *A100* with at least 40 GiB`, of a request by number. */
export function gpusText({ gpuCount, ask }: Shape): string {
  return `${plural(gpuCount, 'GPU')}${matchText(ask)}`;
}

/** ` of *A100* with at least 40 GiB`, empty when any GPU will do. */
export function matchText({ gpus }: Ask): string {
  if (gpus === null || 'uuids' in gpus) return '';
  const { model, minMemoryBytes } = gpus;
  const memory = minMemoryBytes === undefined ? '' : ` with at least ${memoryText(minMemoryBytes)}`;
  return `${model === undefined ? '' : ` of ${model}`}${memory}`;
}

function gpuParts(shape: Shape): string[] {
  if (shape.gpuCount === 0) return [];
  if (shape.named === null) return [gpusText(shape)];
  const uuids = shape.ask.gpus !== null && 'uuids' in shape.ask.gpus ? shape.ask.gpus.uuids : [];
  return [`the GPU${shape.gpuCount === 1 ? '' : 's'} ${[...new Set(uuids)].sort().join(', ')}`];
}
