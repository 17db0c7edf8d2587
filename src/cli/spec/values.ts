import { parseDuration } from '../../lib/duration.ts';
import { failureClasses, type FailureClass } from '../../protocol/task-retry.ts';
import type { TaskSpecInput } from '../../protocol/task-spec.ts';
import { usageError } from '../cli-error.ts';

type Resources = NonNullable<TaskSpecInput['resources']>;
type Mount = NonNullable<TaskSpecInput['mounts']>[number];

interface GpuFlags {
  gpus?: string | undefined;
  gpuModel?: string | undefined;
  gpuMemory?: string | undefined;
}

/** `--gpus 2`, `--gpus UUID,UUID`, `--gpus 0`; a model or a least memory alone means one GPU. */
export function gpusOf({ gpus, gpuModel, gpuMemory }: GpuFlags): Resources['gpus'] | undefined {
  const choice = {
    ...(gpuModel === undefined ? {} : { model: gpuModel }),
    ...(gpuMemory === undefined ? {} : { minMemory: gpuMemory }),
  };
  const chosen = Object.keys(choice).length > 0;
  if (gpus === undefined) return chosen ? { count: 1, ...choice } : undefined;
  if (gpus === '0' && chosen) throw usageError('--gpus 0 asks for no GPU, and --gpu-model or --gpu-memory for one');
  if (gpus === '0') return null;
  return /^\d+$/.test(gpus) ? { count: Number(gpus), ...choice } : { uuids: gpus.split(','), ...choice };
}

/** `nofile=4096:8192`; one number is both limits, `unlimited` is none. */
export function ulimitsOf(texts: readonly string[]): NonNullable<Resources['ulimits']> {
  return Object.fromEntries(texts.map(ulimitOf)) as NonNullable<Resources['ulimits']>;
}

function ulimitOf(text: string): [string, { soft: number; hard: number }] {
  const [, name, soft, hard = soft] = /^([a-z]+)=(\d+|-1|unlimited)(?::(\d+|-1|unlimited))?$/.exec(text) ?? [];
  if (name === undefined) throw usageError(`--ulimit ${text}: it must be NAME=SOFT[:HARD]`, 'such as nofile=4096:8192');
  const number = (one: string | undefined): number => (one === 'unlimited' ? -1 : Number(one));
  return [name, { soft: number(soft), hard: number(hard) }];
}

/** `data:/data`, `data:/data:ro,sub=models/large`. */
export function mountOf(text: string): Mount {
  const [, name, path, access, subPath] = /^([^:/]+):(\/[^:,]*)(?::(ro|rw))?(?:,sub=(.+))?$/.exec(text) ?? [];
  if (name === undefined || path === undefined) {
    throw usageError(`--mount ${text}: it must be NAME:PATH[:ro][,sub=FOLDER]`, 'such as data:/data:ro,sub=models');
  }
  return {
    name,
    path,
    ...(access === 'ro' ? { readOnly: true } : {}),
    ...(subPath === undefined ? {} : { subPath }),
  };
}

/** `SYS_PTRACE`, in any letter case and with or without `CAP_`. */
export const capabilityOf = (text: string): string => text.toUpperCase().replace(/^CAP_/, '');

/** `exit,oom` */
export function failureClassesOf(text: string): FailureClass[] {
  return text.split(',').map((one) => {
    const known = failureClasses.find((name) => name === one.trim());
    if (known !== undefined) return known;
    throw usageError(`--retry-on: there is no kind of failure "${one}"`, `the kinds are ${failureClasses.join(', ')}`);
  });
}

const rfc3339 = /^\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:[Zz]|[+-]\d{2}:\d{2})$/;

/** A time of RFC 3339, with any offset, or `+2h` from now; as the API takes it. */
export function notBeforeOf(text: string, nowMs: number): string {
  const laterMs = text.startsWith('+') ? parseDuration(text.slice(1)) : null;
  const atMs = laterMs === null ? (rfc3339.test(text) ? Date.parse(text) : NaN) : nowMs + laterMs;
  if (Number.isFinite(atMs) && Math.abs(atMs) <= 8.64e15) return new Date(atMs).toISOString();
  throw usageError(
    `--not-before ${text}: it is neither a time with its zone nor a delay`,
    'such as 2026-07-01T08:00:00+02:00 or +2h',
  );
}
