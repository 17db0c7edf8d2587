import { advance, encodeMark, type LogMark } from './log-index.ts';
import { encodeRecord, type LogStream, longestPayloadBytes } from './record.ts';

/** Bytes to write, in order, at the end of each file. */
export interface Encoded {
  log: Buffer[];
  index: Buffer[];
}

/** Records laid one behind the other, counted, until they are taken to be written. */
export interface LogTape {
  readonly mark: LogMark;
  readonly waitingBytes: number;
  putOutput(stream: LogStream, atUs: number, bytes: Uint8Array): void;
  putOwn(kind: 'position' | 'end', bytes: Uint8Array): void;
  /** An entry of the index for this place. */
  putMark(): void;
  take(): Encoded;
}

export function createLogTape(from: LogMark): LogTape {
  let mark = { ...from };
  let waiting: Encoded = { log: [], index: [] };
  let waitingBytes = 0;

  const put = (record: [header: Buffer, payload: Buffer]): void => {
    const bytes = record[0].length + record[1].length;
    waiting.log.push(record[0], record[1]);
    waitingBytes += bytes;
    mark.fileBytes += bytes;
  };
  return {
    get mark() {
      return { ...mark };
    },
    get waitingBytes() {
      return waitingBytes;
    },
    putOutput(stream, atUs, bytes) {
      for (let at = 0; at < bytes.length; at += longestPayloadBytes) {
        const part = bytes.subarray(at, at + longestPayloadBytes);
        mark = advance(mark, { stream, atUs, bytes: part });
        put(encodeRecord(stream, atUs, part));
      }
    },
    putOwn: (kind, bytes) => put(encodeRecord(kind, mark.latestUs, bytes)),
    putMark: () => waiting.index.push(encodeMark(mark)),
    take() {
      const taken = waiting;
      waiting = { log: [], index: [] };
      waitingBytes = 0;
      return taken;
    },
  };
}
