/**
 * The shape of `log`: records `u32 length, u8 kind, u64 µs, bytes`, little-endian. Offsets that people see count
 * the bytes of `stdout`, `stderr` and `weir` records alone; `position` and `end` are the writer's own.
 * No kind is 0: what a power cut leaves behind is zeros.
 */
const kinds = { stdout: 1, stderr: 2, weir: 3, position: 4, end: 5 } as const;

/** `weir`: what Weir itself has to say in a log. */
export type LogStream = 'stdout' | 'stderr' | 'weir';
type RecordKind = keyof typeof kinds;

export const headerBytes = 13;
/** Longer chunks are stored as several records, so that a reader needs room for one of these only. */
export const longestPayloadBytes = 64 * 1024;

export interface StoredRecord {
  kind: RecordKind;
  atUs: number;
  bytes: Buffer;
}

const kindOf = new Map<number, RecordKind>(Object.entries(kinds).map(([kind, code]) => [code, kind as RecordKind]));

export function encodeRecord(kind: RecordKind, atUs: number, bytes: Uint8Array): [header: Buffer, payload: Buffer] {
  const header = Buffer.allocUnsafe(headerBytes);
  header.writeUInt32LE(bytes.length, 0);
  header.writeUInt8(kinds[kind], 4);
  writeU64(header, Math.max(0, Math.trunc(atUs)), 5);
  return [header, Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)];
}

/** The record at `at`; `torn` when it goes on behind the buffer, `invalid` when there is none. */
export function decodeRecord(from: Buffer, at: number): StoredRecord | 'torn' | 'invalid' {
  if (from.length - at < headerBytes) return 'torn';
  const length = from.readUInt32LE(at);
  const kind = kindOf.get(from.readUInt8(at + 4));
  if (kind === undefined || length > longestPayloadBytes) return 'invalid';
  const begin = at + headerBytes;
  if (from.length < begin + length) return 'torn';
  return { kind, atUs: readU64(from, at + 5), bytes: from.subarray(begin, begin + length) };
}

/** Whole numbers up to 2⁵³; bigints are several times slower, and this is done for every line. */
export function writeU64(to: Buffer, value: number, at: number): void {
  to.writeUInt32LE(value % 2 ** 32, at);
  to.writeUInt32LE(Math.floor(value / 2 ** 32), at + 4);
}

export function readU64(from: Buffer, at: number): number {
  return from.readUInt32LE(at + 4) * 2 ** 32 + from.readUInt32LE(at);
}

export function isOutput(kind: RecordKind): kind is LogStream {
  return kind !== 'position' && kind !== 'end';
}

/** What a `position` record carries: how far the backend was read, and how much of that was not kept. */
export interface StoredPosition {
  position: string | null;
  droppedBytes: number;
}

export function encodePosition(stored: StoredPosition): Buffer {
  return Buffer.from(JSON.stringify([stored.droppedBytes, stored.position]));
}

export function decodePosition(bytes: Buffer): StoredPosition | null {
  const parsed: unknown = parseJson(bytes.toString());
  if (!Array.isArray(parsed)) return null;
  const [droppedBytes, position]: unknown[] = parsed;
  if (typeof droppedBytes !== 'number' || !(position === null || typeof position === 'string')) return null;
  return { droppedBytes, position };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
