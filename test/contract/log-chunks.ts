import type { Backend, LogChunk, WorkloadRef } from '../../src/runner/backend/backend.ts';

export async function collect(chunks: AsyncIterable<LogChunk>): Promise<LogChunk[]> {
  const all: LogChunk[] = [];
  for await (const chunk of chunks) all.push(chunk);
  return all;
}

export async function firstChunk(backend: Backend, ref: WorkloadRef): Promise<LogChunk> {
  const stop = new AbortController();
  for await (const chunk of backend.logs(ref, null, stop.signal)) return chunk;
  throw new Error('it said nothing');
}

export function decode(chunk: LogChunk): string {
  return new TextDecoder().decode(chunk.bytes);
}

export function text(chunks: readonly LogChunk[]): string {
  return chunks.map(decode).join('');
}
