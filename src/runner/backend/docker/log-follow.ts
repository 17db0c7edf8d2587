import type { LogChunk, WorkloadRef } from '../backend.ts';
import type { Frame } from './demux.ts';
import { demux } from './demux.ts';
import { ask } from './engine.ts';
import { parseTimeUs } from './engine-time.ts';
import type { DockerParts } from './parts.ts';

/** `t<seconds>.<nanoseconds>/<n>`: behind the n-th record of that time, since many may share it. */
const followPosition = /^t(\d+\.\d{9})\/(\d+)$/;

/** Whether a position was given by `followLogs` and not by the tail of the file. */
export function isFollowPosition(position: string): boolean {
  return followPosition.test(position);
}

/**
 * The engine's own stream of output, for a Runner that may not read the engine's files. It may lose data where
 * somebody rotates them, which the options of our containers do not.
 */
export async function* followLogs(
  parts: DockerParts,
  from: { id: string; ref: WorkloadRef; position: string | null },
  signal: AbortSignal,
): AsyncGenerator<LogChunk> {
  const [, since, count] = followPosition.exec(from.position ?? '') ?? [];
  const left = new AbortController();
  const either = AbortSignal.any([signal, left.signal]);
  const options = {
    follow: true as const,
    stdout: true,
    stderr: true,
    timestamps: true,
    abortSignal: either,
  };
  const call = parts.docker.getContainer(from.id).logs(since === undefined ? options : { ...options, since });
  try {
    const stream = await ask(call, signal);
    yield* chunksOf(demux(stream as AsyncIterable<Uint8Array>), {
      since: since ?? null,
      skip: Number(count ?? 0),
    });
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    throw error;
  } finally {
    left.abort(new Error('nobody reads any more'));
  }
}

async function* chunksOf(
  frames: AsyncIterable<Frame>,
  from: { since: string | null; skip: number },
): AsyncGenerator<LogChunk> {
  let at = from.since;
  let count = 0;
  for await (const { stream, bytes } of frames) {
    const space = bytes.indexOf(0x20);
    const time = bytes.toString('latin1', 0, space);
    const atUs = parseTimeUs(time);
    if (atUs === null) continue;
    const key = `${Math.floor(atUs / 1_000_000)}.${nanosOf(time)}`;
    count = key === at ? count + 1 : 1;
    at = key;
    if (key === from.since && count <= from.skip) continue;
    yield { stream, atUs, bytes: bytes.subarray(space + 1), position: `t${key}/${count}` };
  }
}

function nanosOf(time: string): string {
  return (/\.(\d{1,9})/.exec(time)?.[1] ?? '').padEnd(9, '0');
}
