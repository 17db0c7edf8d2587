import { type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';
import { isAbort } from '../../lib/abort.ts';
import { createWake } from '../../lib/wake.ts';
import type { LogProgress } from './log-progress.ts';
import { scanRecords, type ScannedRecord } from './log-scan.ts';
import { findEnd, findStart, isOfStream, type LogStart, type SeekQuery } from './log-seek.ts';
import { isOutput, type LogStream } from './record.ts';

/** A log on disk; `progress` is `null` when nobody in this process writes it. */
export interface LogSource {
  dir: string;
  progress: LogProgress | null;
}

/**
 * `since`: offset to begin at; `sinceTimeUs` leaves out what the engine stamped earlier; `tail`: the last lines only,
 * of `stream` where that is given, reckoned when the reading begins.
 */
export interface LogQuery extends SeekQuery {
  /** Offset to end before. */
  until?: number;
  /** Goes on as the log grows, until it is complete. */
  follow?: 'yes' | 'no';
}

export interface LogRecord {
  stream: LogStream;
  atUs: number;
  bytes: Buffer;
  /** Of the first of `bytes`. */
  offset: number;
}

/** What a log holds now. */
export interface LogExtent {
  endOffset: number;
  complete: boolean;
}

/** `null` when there is no such log. */
export async function readLogExtent(source: LogSource): Promise<LogExtent | null> {
  const log = await openIfThere(join(source.dir, 'log'));
  if (!log) return null;
  try {
    const { mark, complete } = await withIndex(log, source, findEnd);
    return { endOffset: mark.offset, complete };
  } finally {
    await log.close();
  }
}

/** The records of a log one by one; nothing when there is no such log. Reads only as fast as it is asked. */
export async function* readLog(
  source: LogSource,
  query: LogQuery,
  signal: AbortSignal,
): AsyncGenerator<LogRecord, void> {
  for await (const batch of readLogBatches(source, query, signal)) yield* batch;
}

/** Like `readLog`, with what one read of the file gave (some 128 KiB) at a time. Ends quietly when the signal aborts. */
export async function* readLogBatches(
  source: LogSource,
  query: LogQuery,
  signal: AbortSignal,
): AsyncGenerator<LogRecord[], void> {
  const log = await openIfThere(join(source.dir, 'log'));
  if (!log) return;
  try {
    const start = await withIndex(log, source, (opened) => findStart(opened, query));
    const follow = query.follow === 'yes' ? source.progress : null;
    const choose = createChoice(start, query);
    for await (const records of blocksFrom(log, start.mark.fileBytes, { source, follow, signal })) {
      const batch = records.flatMap(choose.pick);
      if (batch.length > 0) yield batch;
      if (choose.offset() >= (query.until ?? Infinity)) return;
    }
  } finally {
    await log.close();
  }
}

interface Going {
  source: LogSource;
  follow: LogProgress | null;
  signal: AbortSignal;
}

async function* blocksFrom(log: FileHandle, from: number, going: Going): AsyncIterable<ScannedRecord[]> {
  const { source, follow, signal } = going;
  const wake = createWake();
  const unwatch = follow?.watch(wake);
  try {
    let limit = await readableBytes(log, source);
    for (let at = from; !signal.aborted;) {
      const records = await scanRecords(log, at, limit);
      const last = records.at(-1);
      if (last) {
        yield records;
        at = last.end;
      }
      if (last?.kind === 'end' || (!last && !follow)) return;
      if (last || !follow) continue;
      if (limit === follow.fileBytes && follow.closed) return;
      if (limit === follow.fileBytes) await wake.wait(signal);
      limit = follow.fileBytes;
    }
  } catch (error) {
    if (!isAbort(error, signal)) throw error;
  } finally {
    unwatch?.();
  }
}

/** Cuts records to what the query asks for, counting offsets. */
function createChoice(
  start: LogStart,
  query: LogQuery,
): {
  pick(record: ScannedRecord): LogRecord[];
  offset(): number;
} {
  let { offset } = start.mark;
  return {
    offset: () => offset,
    pick({ kind, atUs, bytes }) {
      if (!isOutput(kind)) return [];
      const begin = Math.max(offset, start.offset);
      const end = Math.min(offset + bytes.length, query.until ?? Infinity);
      const part = bytes.subarray(begin - offset, Math.max(0, end - offset));
      offset += bytes.length;
      const wanted = isOfStream(kind, query.stream) && atUs >= (query.sinceTimeUs ?? 0);
      return wanted && begin < end ? [{ stream: kind, atUs, bytes: part, offset: begin }] : [];
    },
  };
}

async function withIndex<T>(
  log: FileHandle,
  source: LogSource,
  use: (opened: { log: FileHandle; index: FileHandle | null; limit: number }) => Promise<T>,
): Promise<T> {
  const index = await openIfThere(join(source.dir, 'index'));
  try {
    return await use({ log, index, limit: await readableBytes(log, source) });
  } finally {
    await index?.close();
  }
}

async function readableBytes(log: FileHandle, { progress }: LogSource): Promise<number> {
  return progress ? progress.fileBytes : (await log.stat()).size;
}

async function openIfThere(path: string): Promise<FileHandle | null> {
  try {
    return await open(path, 'r');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw error;
  }
}
