import type { WorkloadRef } from '../backend.ts';
import { ask } from './engine.ts';
import { readIdentity } from './identity.ts';
import { jsonLines } from './lines.ts';
import type { DockerParts } from './parts.ts';

/** An event of a container of ours. */
export interface ContainerEvent {
  action: string;
  ref: WorkloadRef;
  exitCode: number | null;
  atMs: number;
  /** Nanoseconds since 1970 as the engine wrote them: more digits than a number holds. */
  atNano: bigint;
}

const actions = ['start', 'die', 'oom', 'pause', 'unpause', 'destroy'];

/** One connection to the event stream. `connected` comes once nothing is missed any more; it ends with the stream. */
export async function* containerEvents(
  parts: DockerParts,
  since: bigint | null,
  signal: AbortSignal,
): AsyncGenerator<ContainerEvent | 'connected'> {
  const filters = {
    type: ['container'],
    event: actions,
    label: [`weir.node=${parts.identity.node}`],
  };
  const query = {
    filters: JSON.stringify(filters),
    ...(since === null ? {} : { since: sinceText(since) }),
  };
  const call = parts.docker.getEvents({ ...query, abortSignal: signal } as object);
  const stream = await ask(call, signal);
  yield 'connected';
  for await (const { value, text } of jsonLines(stream as AsyncIterable<Uint8Array>)) {
    const event = readEvent(parts, value, text);
    // `since` is inclusive.
    if (event !== null && (since === null || event.atNano > since)) yield event;
  }
}

function sinceText(nano: bigint): string {
  return `${nano / 1_000_000_000n}.${String(nano % 1_000_000_000n).padStart(9, '0')}`;
}

function readEvent(parts: DockerParts, value: unknown, text: string): ContainerEvent | null {
  const { Action: action, Actor: actor } = value as {
    Action?: string;
    Actor?: { Attributes?: Record<string, string | undefined> };
  };
  const nano = /"timeNano":(\d+)/.exec(text)?.[1];
  if (action === undefined || nano === undefined) return null;
  const labels = actor?.Attributes ?? {};
  const ours = readIdentity(parts.identity, labels.name ?? '', labels);
  if (ours === null) return null;
  const exitCode = labels.exitCode === undefined ? null : Number(labels.exitCode);
  const atNano = BigInt(nano);
  return { action, ref: ours.ref, exitCode, atNano, atMs: Number(atNano / 1_000_000n) };
}
