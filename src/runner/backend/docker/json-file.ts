import type { LogChunk } from '../backend.ts';
import { parseTimeUs } from './engine-time.ts';

export interface JsonFileParser {
  /** Takes the next bytes of the file and gives the records that are whole by now; a position is the offset behind one. */
  push(bytes: Uint8Array): LogChunk[];
}

const lineFeed = 0x0a;

/**
 * Reads `json-file` from `offset` on, which is the start of a line. A record is one write of at most 16 KiB; one
 * that does not end a line carries no line feed, so that the records' bytes in a row are the output. (The engine has
 * put U+FFFD for bytes that are no UTF-8 when it wrote the file: those are lost there.) A line that an engine's crash
 * has torn, or that a punched hole has taken, is left out.
 */
export function createJsonFileParser(offset: number): JsonFileParser {
  let rest: Buffer = Buffer.alloc(0);
  let restOffset = offset;
  return {
    push(bytes) {
      const all = rest.length === 0 ? Buffer.from(bytes) : Buffer.concat([rest, bytes]);
      const records: LogChunk[] = [];
      let start = 0;
      for (let end = all.indexOf(lineFeed); end >= 0; end = all.indexOf(lineFeed, start)) {
        const chunk = parseLine(all.toString('utf8', start, end));
        start = end + 1;
        if (chunk !== null) records.push({ ...chunk, position: String(restOffset + start) });
      }
      // A hole may be larger than memory: nothing of it is kept.
      start += holeBytes(all.subarray(start));
      rest = all.subarray(start);
      restOffset += start;
      return records;
    },
  };
}

/** How many zeros it begins with. */
function holeBytes(bytes: Buffer): number {
  if (bytes[0] !== 0) return 0;
  const end = bytes.findIndex((byte) => byte !== 0);
  return end < 0 ? bytes.length : end;
}

function parseLine(line: string): Omit<LogChunk, 'position'> | null {
  try {
    // A hole reads as zeros, in front of what is left of a line.
    const value: unknown = JSON.parse(line.slice(line.lastIndexOf('\0') + 1));
    if (typeof value !== 'object' || value === null) return null;
    const { log, stream, time } = value as { log?: unknown; stream?: unknown; time?: unknown };
    const atUs = parseTimeUs(typeof time === 'string' ? time : undefined);
    if (typeof log !== 'string' || atUs === null) return null;
    return {
      stream: stream === 'stderr' ? 'stderr' : 'stdout',
      atUs,
      bytes: Buffer.from(log, 'utf8'),
    };
  } catch {
    return null;
  }
}
