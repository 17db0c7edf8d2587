import type { LogChunk } from '../backend/backend.ts';
import type { LogMark } from './log-index.ts';
import type { RecoveredLog } from './log-recovery.ts';
import { createLogTape, type Encoded } from './log-tape.ts';
import { encodePosition, headerBytes } from './record.ts';

/** A mark comes after this many lines, or bytes where lines are long. */
const linesPerMark = 1000;
const bytesPerMark = 256 * 1024;
/** How much may be dropped again after a crash. */
const droppedPerPosition = 16 * 1024 * 1024;

/** Turns chunks into bytes of `log` and `index`; writes nothing itself. */
export interface LogEncoder {
  readonly position: string | null;
  /** The position of the last record of that kind: behind it may lie output that was dropped. */
  readonly writtenPosition: string | null;
  /** Bytes that `take` would give for the log. */
  readonly waitingBytes: number;
  add(chunk: LogChunk): void;
  /** Adds the last records: what was cut, and that this is all. */
  end(): void;
  /** Everything added since the last call, with the position behind it. */
  take(): Encoded;
}

/** @param capBytes of the file `log`, with headers; the head is kept. Positions and the last records come on top. */
export function createLogEncoder(from: RecoveredLog, capBytes: number): LogEncoder {
  const tape = createLogTape(from.mark);
  let stored = from.stored;
  let positioned = stored;
  let indexed: LogMark = from.mark;

  const putPosition = (): void => {
    if (positioned === stored) return;
    positioned = stored;
    tape.putOwn('position', encodePosition(stored));
  };
  const roomBytes = (): number => {
    return stored.droppedBytes > 0 ? 0 : Math.max(0, capBytes - tape.mark.fileBytes - headerBytes);
  };
  return {
    get position() {
      return stored.position;
    },
    get writtenPosition() {
      return positioned.position;
    },
    get waitingBytes() {
      return tape.waitingBytes;
    },
    add(chunk) {
      const kept = chunk.bytes.subarray(0, roomBytes());
      tape.putOutput(chunk.stream, chunk.atUs, kept);
      const droppedBytes = stored.droppedBytes + chunk.bytes.length - kept.length;
      stored = { position: chunk.position, droppedBytes };
      if (isDue(tape.mark, indexed)) {
        tape.putMark();
        indexed = tape.mark;
        putPosition();
      } else if (droppedBytes - positioned.droppedBytes >= droppedPerPosition) putPosition();
    },
    end() {
      const { droppedBytes } = stored;
      if (droppedBytes > 0) tape.putOutput('weir', tape.mark.latestUs, noteOfCut(droppedBytes, capBytes));
      putPosition();
      tape.putOwn('end', new Uint8Array());
    },
    take() {
      if (tape.waitingBytes > 0) putPosition();
      return tape.take();
    },
  };
}

function isDue(mark: LogMark, last: LogMark): boolean {
  const lines = mark.stdoutLines + mark.stderrLines - last.stdoutLines - last.stderrLines;
  return lines >= linesPerMark || mark.offset - last.offset >= bytesPerMark;
}

function noteOfCut(droppedBytes: number, capBytes: number): Buffer {
  return Buffer.from(`\n[weir: ${droppedBytes} bytes of output were cut, the log is full at ${capBytes} bytes]\n`);
}
