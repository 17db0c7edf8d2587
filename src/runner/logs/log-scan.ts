import type { FileHandle } from 'node:fs/promises';
import { decodeRecord, headerBytes, longestPayloadBytes, type StoredRecord } from './record.ts';

/** One read; holds any record whole. */
const blockBytes = 2 * (headerBytes + longestPayloadBytes);

export interface ScannedRecord extends StoredRecord {
  /** Place in the file of the first byte behind the record. */
  end: number;
}

/**
 * The whole records that begin at `from`, one block of them at most and none that passes `limit`. None at all: there
 * are no more, or what follows is torn.
 */
export async function scanRecords(log: FileHandle, from: number, limit: number): Promise<ScannedRecord[]> {
  const size = Math.min(blockBytes, limit - from);
  if (size <= 0) return [];
  const { bytesRead, buffer } = await log.read(Buffer.allocUnsafe(size), 0, size, from);
  return decodeAll(buffer.subarray(0, bytesRead), from);
}

function decodeAll(block: Buffer, from: number): ScannedRecord[] {
  const records: ScannedRecord[] = [];
  for (let at = 0; ;) {
    const record = decodeRecord(block, at);
    if (record === 'torn' || record === 'invalid') return records;
    const { kind, atUs, bytes } = record;
    at += headerBytes + bytes.length;
    records.push({ kind, atUs, bytes, end: from + at });
  }
}
