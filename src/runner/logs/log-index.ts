import type { FileHandle } from 'node:fs/promises';
import { type LogStream, readU64, writeU64 } from './record.ts';

/** Where one stands in a log: everything before it, counted. */
export interface LogMark {
  /** Bytes of the file `log`. */
  fileBytes: number;
  /** Bytes of output: the offset that people see. */
  offset: number;
  stdoutLines: number;
  stderrLines: number;
  /** Latest time of any record before it. */
  latestUs: number;
}

export const logStart: LogMark = { fileBytes: 0, offset: 0, stdoutLines: 0, stderrLines: 0, latestUs: 0 };

/** An entry of `index`: one mark as five u64, little-endian. At its place in `log` stands a `position` record. */
const entryBytes = 40;

export function encodeMark(mark: LogMark): Buffer {
  const entry = Buffer.alloc(entryBytes);
  [mark.fileBytes, mark.offset, mark.stdoutLines, mark.stderrLines, mark.latestUs].forEach((value, place) => {
    writeU64(entry, value, place * 8);
  });
  return entry;
}

/** The mark behind a piece of output. */
export function advance(mark: LogMark, piece: { stream: LogStream; atUs: number; bytes: Uint8Array }): LogMark {
  const { stream, atUs, bytes } = piece;
  const lines = countLines(bytes);
  return {
    fileBytes: mark.fileBytes,
    offset: mark.offset + bytes.length,
    stdoutLines: mark.stdoutLines + (stream === 'stderr' ? 0 : lines),
    stderrLines: mark.stderrLines + (stream === 'stderr' ? lines : 0),
    latestUs: Math.max(mark.latestUs, atUs),
  };
}

/** Lines that have ended by then; what Weir says counts as stdout. */
export function linesOf(mark: LogMark, stream: LogStream | null): number {
  if (stream === null) return mark.stdoutLines + mark.stderrLines;
  return stream === 'stderr' ? mark.stderrLines : mark.stdoutLines;
}

/** Whole entries of an open index. */
export async function countMarks(index: FileHandle): Promise<number> {
  return Math.floor((await index.stat()).size / entryBytes);
}

export async function readMark(index: FileHandle, place: number): Promise<LogMark> {
  const entry = Buffer.alloc(entryBytes);
  await index.read(entry, 0, entryBytes, place * entryBytes);
  const value = (at: number): number => readU64(entry, at * 8);
  return { fileBytes: value(0), offset: value(1), stdoutLines: value(2), stderrLines: value(3), latestUs: value(4) };
}

/** The last mark for which `before` holds; it must hold for a first part of the index only. */
export async function findMark(index: FileHandle, before: (mark: LogMark) => boolean): Promise<LogMark> {
  let low = 0;
  let high = await countMarks(index);
  let found = logStart;
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    const mark = await readMark(index, middle);
    if (before(mark)) {
      found = mark;
      low = middle + 1;
    } else high = middle;
  }
  return found;
}

/** Keeps the entries that lie within the first `fileBytes` of the log. */
export async function cutMarks(index: FileHandle, fileBytes: number): Promise<void> {
  let count = await countMarks(index);
  while (count > 0 && (await readMark(index, count - 1)).fileBytes >= fileBytes) count -= 1;
  await index.truncate(count * entryBytes);
}

function countLines(bytes: Uint8Array): number {
  let lines = 0;
  for (let at = bytes.indexOf(10); at !== -1; at = bytes.indexOf(10, at + 1)) lines += 1;
  return lines;
}
