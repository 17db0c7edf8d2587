import type { LogRecord, LogSource } from '../client/log-records.ts';

type Piece = Pick<LogRecord, 'stream' | 'bytes'>;

interface PrefixedLines {
  push(piece: Piece): Promise<void>;
  /** What has no line end yet, with one. */
  flush(): Promise<void>;
}

/** A line that is longer is cut, so that a process that never ends a line takes no memory. */
const longestLine = 65_536;
const lineEnd = 0x0a;

/** Hands on whole lines, each behind the prefix, so that the output of several tasks can be told apart. */
export function prefixedLines(prefix: string, write: (piece: Piece) => Promise<void>): PrefixedLines {
  const head = Buffer.from(prefix);
  const rests = new Map<LogSource, Buffer>();
  const lined = (text: Buffer): Buffer => {
    const lines: Buffer[] = [];
    for (let at = 0; at < text.length;) {
      const end = text.indexOf(lineEnd, at);
      const next = end === -1 ? text.length : end + 1;
      lines.push(head, text.subarray(at, next));
      at = next;
    }
    return Buffer.concat(lines);
  };
  const end = async (stream: LogSource, rest: Buffer): Promise<void> => {
    if (rest.length > 0) await write({ stream, bytes: lined(Buffer.concat([rest, Buffer.of(lineEnd)])) });
  };
  return {
    async push({ stream, bytes }) {
      const all = Buffer.concat([rests.get(stream) ?? Buffer.alloc(0), bytes]);
      const whole = all.lastIndexOf(lineEnd) + 1;
      const rest = all.subarray(whole);
      const tooLong = rest.length > longestLine;
      rests.set(stream, tooLong ? Buffer.alloc(0) : Buffer.from(rest));
      if (whole > 0) await write({ stream, bytes: lined(all.subarray(0, whole)) });
      if (tooLong) await end(stream, rest);
    },
    async flush() {
      for (const [stream, rest] of rests) await end(stream, rest);
      rests.clear();
    },
  };
}
