import type { FileHandle } from 'node:fs/promises';
import { advance, countMarks, findMark, linesOf, type LogMark, logStart, readMark } from './log-index.ts';
import { scanRecords, type ScannedRecord } from './log-scan.ts';
import { isOutput, type LogStream } from './record.ts';

/** An open log of which `limit` bytes may be read; without an index it is read from the start. */
export interface OpenLog {
  log: FileHandle;
  index: FileHandle | null;
  limit: number;
}

export interface LogEnd {
  mark: LogMark;
  complete: boolean;
  /** Streams whose last line had no end yet, as far as the last two marks tell. */
  openLines: ReadonlySet<LogStream>;
}

/** Where a reading begins: records from `mark` on, of which those before `offset` are not wanted. */
export interface LogStart {
  mark: LogMark;
  offset: number;
}

export interface SeekQuery {
  since?: number;
  sinceTimeUs?: number;
  tail?: number;
  stream?: 'stdout' | 'stderr';
}

/** Whether a record is of the stream asked for; Weir's own words go with stdout. */
export function isOfStream(stream: LogStream, asked: 'stdout' | 'stderr' | undefined): boolean {
  return asked === undefined || (stream === 'stderr') === (asked === 'stderr');
}

export async function findEnd(open: OpenLog): Promise<LogEnd> {
  let mark = await lastMarkButOne(open);
  let complete = false;
  const openLines = new Set<LogStream>();
  for await (const { kind, atUs, bytes, end } of recordsFrom(open, mark)) {
    if (isOutput(kind)) {
      mark = advance(mark, { stream: kind, atUs, bytes });
      if (bytes.at(-1) === 10) openLines.delete(kind);
      else openLines.add(kind);
    }
    mark = { ...mark, fileBytes: end };
    complete = kind === 'end';
  }
  return { mark, complete, openLines };
}

export async function findStart(open: OpenLog, query: SeekQuery): Promise<LogStart> {
  const { since = 0, sinceTimeUs } = query;
  const offset = Math.max(since, await offsetOfTail(open, query));
  const byOffset = await seek(open, (mark) => mark.offset <= offset);
  if (sinceTimeUs === undefined) return { mark: byOffset, offset };
  const byTime = await seek(open, (mark) => mark.latestUs < sinceTimeUs);
  return { mark: byTime.fileBytes > byOffset.fileBytes ? byTime : byOffset, offset };
}

/** Records in order, each read only when it is asked for. */
export async function* recordsFrom(open: OpenLog, from: LogMark): AsyncIterable<ScannedRecord> {
  let at = from.fileBytes;
  for (;;) {
    const records = await scanRecords(open.log, at, open.limit);
    if (records.length === 0) return;
    yield* records;
    at = records.at(-1)?.end ?? at;
  }
}

async function offsetOfTail(open: OpenLog, { tail, stream }: SeekQuery): Promise<number> {
  if (tail === undefined) return 0;
  const end = await findEnd(open);
  const openLine = [...end.openLines].some((each) => isOfStream(each, stream)) ? 1 : 0;
  const skipLines = linesOf(end.mark, stream ?? null) + openLine - tail;
  if (skipLines <= 0) return 0;
  if (tail === 0) return end.mark.offset;
  return offsetBehindLine(open, skipLines, stream);
}

async function offsetBehindLine(open: OpenLog, line: number, stream: SeekQuery['stream']): Promise<number> {
  const mark = await seek(open, (each) => linesOf(each, stream ?? null) < line);
  let left = line - linesOf(mark, stream ?? null);
  let { offset } = mark;
  for await (const { kind, bytes } of recordsFrom(open, mark)) {
    if (!isOutput(kind)) continue;
    for (let at = -1; isOfStream(kind, stream) && (at = bytes.indexOf(10, at + 1)) !== -1;) {
      left -= 1;
      if (left === 0) return offset + at + 1;
    }
    offset += bytes.length;
  }
  return offset;
}

async function seek(open: OpenLog, before: (mark: LogMark) => boolean): Promise<LogMark> {
  if (!open.index) return logStart;
  return findMark(open.index, (mark) => mark.fileBytes < open.limit && before(mark));
}

/** Two marks hold at least a whole stretch of lines, so that the last byte of the log is among them. */
async function lastMarkButOne({ index, limit }: OpenLog): Promise<LogMark> {
  if (!index) return logStart;
  let place = (await countMarks(index)) - 1;
  while (place >= 0 && (await readMark(index, place)).fileBytes >= limit) place -= 1;
  return place >= 1 ? readMark(index, place - 1) : logStart;
}
