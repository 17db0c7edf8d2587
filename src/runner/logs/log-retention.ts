import { readdir, rm, rmdir, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';

export interface LogRetention {
  /** Since the last output. */
  maxAgeMs: number;
  /** Of all logs; the oldest go first. */
  maxTotalBytes: number;
}

export interface SweepOptions {
  /** `DIR/runner/logs`. */
  dir: string;
  retention: LogRetention;
  /** Wall clock of this machine. */
  nowMs: number;
  /** Whether `<task>/<attempt>` is being written: such a log stays, and counts. */
  isKept: (folder: string) => boolean;
}

interface StoredLog {
  folder: string;
  lastMs: number;
  bytes: number;
}

/** Takes away logs that are too old, and the oldest until the rest fits. */
export async function sweepLogs({ dir, retention, nowMs, isKept }: SweepOptions): Promise<void> {
  for (const folder of tooMuch(await storedLogs(dir), { retention, nowMs, isKept })) {
    // It may have been taken up again while others were removed.
    if (isKept(folder)) continue;
    await rm(join(dir, folder), { recursive: true, force: true });
    await rmdir(dirname(join(dir, folder))).catch(() => undefined);
  }
}

function tooMuch(logs: StoredLog[], { retention, nowMs, isKept }: Omit<SweepOptions, 'dir'>): string[] {
  let totalBytes = logs.reduce((sum, { bytes }) => sum + bytes, 0);
  const going: string[] = [];
  for (const { folder, lastMs, bytes } of logs.toSorted((a, b) => a.lastMs - b.lastMs)) {
    const isTooMuch = totalBytes > retention.maxTotalBytes || nowMs - lastMs > retention.maxAgeMs;
    if (!isTooMuch || isKept(folder)) continue;
    going.push(folder);
    totalBytes -= bytes;
  }
  return going;
}

async function storedLogs(dir: string): Promise<StoredLog[]> {
  const found: StoredLog[] = [];
  for (const task of await foldersIn(dir)) {
    for (const attempt of await foldersIn(join(dir, task))) {
      const folder = join(task, attempt);
      const log = await stat(join(dir, folder, 'log')).catch(() => null);
      const index = await stat(join(dir, folder, 'index')).catch(() => null);
      if (log) found.push({ folder, lastMs: log.mtimeMs, bytes: log.size + (index?.size ?? 0) });
    }
  }
  return found;
}

async function foldersIn(path: string): Promise<string[]> {
  const entries = await readdir(path, { withFileTypes: true }).catch(() => []);
  return entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
}
