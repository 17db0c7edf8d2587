import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';
import { makePrivateFolder } from '../../lib/node/private-file.ts';
import type { LogChunk } from '../backend/backend.ts';
import { createLogDisk } from './log-disk.ts';
import { createLogEncoder } from './log-encoder.ts';
import type { LogProgressSetter } from './log-progress.ts';
import { type RecoveredLog, recoverLog } from './log-recovery.ts';

/** What may wait in memory while the disk is slow. */
const mostWaitingBytes = 256 * 1024;

export interface LogWriter extends AsyncDisposable {
  /** The backend's position behind all that was appended; `null`: nothing yet. */
  readonly position: string | null;
  /** The log had its last record already when it was opened. */
  readonly complete: boolean;
  /** Resolves at once, or when the disk has caught up. @throws what a write met (ENOSPC), now or earlier */
  append(chunk: LogChunk): Promise<void>;
  /** Waits for the disk; the position that the file itself would go on from. */
  storedPosition(): Promise<string | null>;
  /** Says how much was cut, marks the log complete, and waits until the disk has all of it. */
  finish(): Promise<void>;
}

export interface LogWriterOptions {
  dir: string;
  /** Most bytes of the file `log`. */
  capBytes: number;
  /** Told after every write. */
  progress: LogProgressSetter;
}

interface LogFiles {
  log: FileHandle;
  index: FileHandle;
}

/** Opens or makes the log of one attempt, as its only writer; a torn end is cut off. */
export async function openLogWriter(options: LogWriterOptions): Promise<LogWriter> {
  await makePrivateFolder(options.dir);
  const log = await openForBoth(join(options.dir, 'log'));
  const index = await openForBoth(join(options.dir, 'index')).catch(async (error: unknown) => {
    await log.close();
    throw error;
  });
  const close = async (): Promise<void> => {
    await Promise.all([log.close(), index.close()]);
  };
  try {
    const recovered = await recoverLog(log, index);
    options.progress.set({ fileBytes: recovered.mark.fileBytes, closed: recovered.complete });
    return await writerOf({ log, index }, recovered, { ...options, close });
  } catch (error) {
    await close();
    throw error;
  }
}

async function writerOf(
  files: LogFiles,
  recovered: RecoveredLog,
  { capBytes, progress, close }: LogWriterOptions & { close: () => Promise<void> },
): Promise<LogWriter> {
  const encoder = createLogEncoder(recovered, capBytes);
  const disk = await createLogDisk({ ...files, encoder, progress });
  return {
    complete: recovered.complete,
    get position() {
      return encoder.position;
    },
    async append(chunk) {
      encoder.add(chunk);
      disk.start();
      if (encoder.waitingBytes > mostWaitingBytes) await disk.settle();
    },
    async storedPosition() {
      await disk.settle();
      return encoder.writtenPosition;
    },
    async finish() {
      encoder.end();
      disk.start();
      await disk.settle();
      await Promise.all([files.log.datasync(), files.index.datasync()]);
      progress.set({ closed: true });
    },
    async [Symbol.asyncDispose]() {
      try {
        await disk.settle();
      } finally {
        await close();
      }
    },
  };
}

function openForBoth(path: string): Promise<FileHandle> {
  return open(path, constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW, 0o600);
}
