import { readFile, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/** What the file system says of the engine's process. */
export interface EngineProcess {
  /** Wall clock of this machine, ms; `null` when not known. */
  startedAtMs: number | null;
  /** How many files a container may open at most: without CAP_SYS_RESOURCE the engine cannot give more than it has. */
  nofileHard: number;
}

/** Under the least limit that is common. */
const cautiousNofile = 4096;

/** The engine's process id as text; `null` where it keeps that elsewhere. */
export async function readEnginePid(socketPath: string): Promise<string | null> {
  const pid = await readFile(join(dirname(socketPath), 'docker.pid'), 'utf8').catch(() => '');
  return /^\d+$/.test(pid.trim()) ? pid.trim() : null;
}

/**
 * The engine tells neither. It writes its process id beside its socket at each start (the default place of both); of
 * an engine that keeps it elsewhere the start stays unknown, and the limit is taken to be this process's own.
 */
export async function readEngineProcess(socketPath: string): Promise<EngineProcess> {
  const pidFile = join(dirname(socketPath), 'docker.pid');
  try {
    const [{ mtimeMs }, pid] = await Promise.all([stat(pidFile), readFile(pidFile, 'utf8')]);
    return { startedAtMs: mtimeMs, nofileHard: await readNofileHard(pid.trim()) };
  } catch {
    return { startedAtMs: null, nofileHard: await readNofileHard('self') };
  }
}

async function readNofileHard(pid: string): Promise<number> {
  const limits = await readFile(`/proc/${pid}/limits`, 'utf8').catch(() => '');
  return parseNofileHard(limits);
}

/** The hard limit of open files in the text of `/proc/<pid>/limits` (proc(5)). */
export function parseNofileHard(limits: string): number {
  const [, hard] = /^Max open files\s+\S+\s+(\S+)/m.exec(limits) ?? [];
  if (hard === 'unlimited') return Number.MAX_SAFE_INTEGER;
  return hard !== undefined && /^\d+$/.test(hard) ? Number(hard) : cautiousNofile;
}
