import type { FileHandle } from 'node:fs/promises';
import type { LogEncoder } from './log-encoder.ts';
import type { LogProgressSetter } from './log-progress.ts';

export interface LogDiskOptions {
  log: FileHandle;
  index: FileHandle;
  encoder: LogEncoder;
  progress: LogProgressSetter;
}

/** Takes from the encoder what waits there to the end of both files, one write at a time: a slow disk makes larger ones. */
export interface LogDisk {
  /** Sees to it that what waits is being written. @throws what a write met, now and ever after */
  start(): void;
  /** Resolves when nothing is being written. @throws like `start` */
  settle(): Promise<void>;
}

/** Both files end where their next byte goes: they have been recovered. */
export async function createLogDisk({ log, index, encoder, progress }: LogDiskOptions): Promise<LogDisk> {
  let logBytes = (await log.stat()).size;
  let indexBytes = (await index.stat()).size;
  let failed: { error: unknown } | null = null;
  let running: Promise<void> | null = null;

  const write = async (): Promise<void> => {
    while (encoder.waitingBytes > 0) {
      const taken = encoder.take();
      logBytes += await writeAll(log, taken.log, logBytes);
      indexBytes += await writeAll(index, taken.index, indexBytes);
      progress.set({ fileBytes: logBytes });
    }
  };
  const check = (): void => {
    if (failed) throw failed.error;
  };
  return {
    start() {
      check();
      running ??= write()
        .catch((error: unknown) => {
          failed = { error };
        })
        .finally(() => {
          running = null;
        });
    },
    async settle() {
      await running;
      check();
    },
  };
}

async function writeAll(file: FileHandle, parts: Buffer[], at: number): Promise<number> {
  const all = Buffer.concat(parts);
  let done = 0;
  while (done < all.length) done += (await file.write(all, done, all.length - done, at + done)).bytesWritten;
  return done;
}
