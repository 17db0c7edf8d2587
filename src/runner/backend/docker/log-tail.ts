import type { FileHandle } from 'node:fs/promises';
import { open } from 'node:fs/promises';
import type { LogChunk } from '../backend.ts';
import type { FileWake } from './file-wake.ts';
import { createJsonFileParser } from './json-file.ts';

const blockBytes = 64 * 1024;

export interface TailOptions {
  path: string;
  /** Where to begin: the offset of a line's first byte. */
  offset: number;
  wake: FileWake;
  /** Asks whether nothing will be written any more. */
  hasEnded: () => Promise<boolean>;
}

/** The engine's file from an offset on, until the workload has ended and all is read. */
export async function* tailJsonFile(options: TailOptions, signal: AbortSignal): AsyncGenerator<LogChunk> {
  const file = await open(options.path, 'r');
  try {
    const parser = createJsonFileParser(options.offset);
    const cursor = { offset: options.offset };
    // The end is asked for where the file says nothing new, and then all is read once more.
    let ended = await options.hasEnded();
    for (;;) {
      for await (const block of readBlocks(file, cursor)) {
        yield* parser.push(block);
        signal.throwIfAborted();
      }
      if (ended) return;
      const woken = await options.wake.wait(signal);
      if (woken !== 'changed') ended = await options.hasEnded();
    }
  } finally {
    await file.close();
  }
}

/** What the file holds behind the cursor now. */
async function* readBlocks(file: FileHandle, cursor: { offset: number }): AsyncGenerator<Uint8Array> {
  for (;;) {
    const { bytesRead, buffer } = await file.read(Buffer.allocUnsafe(blockBytes), 0, blockBytes, cursor.offset);
    if (bytesRead === 0) return;
    cursor.offset += bytesRead;
    yield buffer.subarray(0, bytesRead);
  }
}
