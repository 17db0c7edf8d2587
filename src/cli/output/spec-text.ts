import { formatBytes } from '../../lib/bytes.ts';
import { formatDuration } from '../../lib/duration.ts';

type Fields = Readonly<Record<string, unknown>>;

const fieldsOf = (value: unknown): Fields => (typeof value === 'object' && value !== null ? (value as Fields) : {});
const numberOf = (value: unknown): number | null => (typeof value === 'number' ? value : null);
const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);

/** What a spec asks for: `2 cores, 512 MiB, 1 GPU (*A100*)`. A spec is shown leniently: another version may know more. */
export function resourcesText(spec: Fields): string {
  const resources = fieldsOf(spec['resources']);
  const cpus = numberOf(resources['cpus']);
  const memory = numberOf(resources['memory']);
  const burst = resources['cpuLimit'] === 'burst' ? ' and idle ones' : '';
  const parts = [
    cpus === null ? null : `${cpus} ${cpus === 1 ? 'core' : 'cores'}${burst}`,
    memory === null ? null : formatBytes(memory),
    gpusText(fieldsOf(resources['gpus'])),
  ];
  return parts.filter((part) => part !== null).join(', ');
}

function gpusText(gpus: Fields): string | null {
  const uuids = listOf(gpus['uuids']);
  const count = numberOf(gpus['count']) ?? uuids.length;
  if (count === 0) return null;
  const least = numberOf(gpus['minMemory']);
  const wishes = [
    typeof gpus['model'] === 'string' ? gpus['model'] : null,
    least === null ? null : `at least ${formatBytes(least)}`,
    uuids.length > 0 ? uuids.map(String).join(', ') : null,
  ].filter((wish) => wish !== null);
  const which = wishes.length === 0 ? '' : ` (${wishes.join(', ')})`;
  return `${count} ${count === 1 ? 'GPU' : 'GPUs'}${which}`;
}

/** Where it may run: `n2, gpu=a100, gpu in (a100,h100)`; `null` when anywhere. */
export function placementText(spec: Fields): string | null {
  const { node, labels, expression, target } = fieldsOf(spec['placement']);
  const parts = [
    typeof target === 'string' ? target : node,
    ...Object.entries(fieldsOf(labels)).map(([key, value]) => `${key}=${String(value)}`),
    expression,
  ].filter((part): part is string => typeof part === 'string');
  return parts.length > 0 ? parts.join(', ') : null;
}

/** `3 times, after exit, oom, 10s apart at first`; `null` when it is not tried again. */
export function retryText(spec: Fields): string | null {
  const { limit, on, backoff } = fieldsOf(spec['retry']);
  const times = numberOf(limit);
  if (times === null || times === 0) return null;
  const waitMs = numberOf(backoff);
  const wait = waitMs === null ? '' : `, ${formatDuration(waitMs)} apart at first`;
  return `${times} ${times === 1 ? 'time' : 'times'}, after ${listOf(on).map(String).join(', ')}${wait}`;
}

/** `null` when there is none. */
export function timeLimitText(spec: Fields): string | null {
  const limitMs = numberOf(spec['timeLimit']);
  return limitMs === null ? null : formatDuration(limitMs);
}
