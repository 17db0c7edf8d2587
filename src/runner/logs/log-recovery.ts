import type { FileHandle } from 'node:fs/promises';
import { advance, countMarks, cutMarks, type LogMark, logStart, readMark } from './log-index.ts';
import { scanRecords } from './log-scan.ts';
import { decodePosition, isOutput, type StoredPosition } from './record.ts';

/** What a log held for sure when its writer went away. */
export interface RecoveredLog {
  mark: LogMark;
  stored: StoredPosition;
  complete: boolean;
}

/**
 * Cuts everything off behind the last `position`: the backend tells that part again, so nothing is lost or doubled.
 * Reads the end of the log only, from the last mark of the index that fits it.
 */
export async function recoverLog(log: FileHandle, index: FileHandle): Promise<RecoveredLog> {
  const { size } = await log.stat();
  const recovered = await readFrom(log, await lastFittingMark(log, index), size);
  await log.truncate(recovered.mark.fileBytes);
  await cutMarks(index, recovered.mark.fileBytes);
  return recovered;
}

async function readFrom(log: FileHandle, start: LogMark, size: number): Promise<RecoveredLog> {
  let mark = start;
  let sure: RecoveredLog = { mark: start, stored: { position: null, droppedBytes: 0 }, complete: false };
  for (;;) {
    const records = await scanRecords(log, mark.fileBytes, size);
    if (records.length === 0) return sure;
    for (const { kind, atUs, bytes, end } of records) {
      mark = { ...(isOutput(kind) ? advance(mark, { stream: kind, atUs, bytes }) : mark), fileBytes: end };
      const stored = kind === 'position' ? decodePosition(bytes) : null;
      if (stored) sure = { mark, stored, complete: false };
      if (kind === 'end') return { ...sure, mark, complete: true };
    }
  }
}

async function lastFittingMark(log: FileHandle, index: FileHandle): Promise<LogMark> {
  const { size } = await log.stat();
  for (let place = (await countMarks(index)) - 1; place >= 0; place -= 1) {
    const mark = await readMark(index, place);
    const [record] = mark.fileBytes < size ? await scanRecords(log, mark.fileBytes, size) : [];
    if (record?.kind === 'position') return mark;
  }
  return logStart;
}
