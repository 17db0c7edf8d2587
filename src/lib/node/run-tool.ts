import { execFile } from 'node:child_process';

/** How a program of this machine ended. */
export type ToolResult =
  | { outcome: 'exited'; code: number | null; stdout: string; stderr: string }
  | { outcome: 'absent' }
  | { outcome: 'timed_out'; afterMs: number };

export interface ToolOptions {
  stdin?: string;
  timeoutMs: number;
}

/** Runs one program with these arguments, no shell. Rejects with the signal's reason. */
export type RunTool = (argv: readonly string[], options: ToolOptions, signal: AbortSignal) => Promise<ToolResult>;

const mostOutputBytes = 4 * 1024 * 1024;
/** A child gets a list of its own, never ours: that may hold secrets. */
const searchPath = `${process.env['PATH'] ?? '/usr/bin:/bin'}:/usr/local/sbin:/usr/sbin:/sbin`;

/** A program that does not end, not even when it is killed (a driver that hangs), is left behind after its time. */
export const runTool: RunTool = ([program = '', ...args], { stdin = '', timeoutMs }, signal) =>
  new Promise((resolve, reject) => {
    signal.throwIfAborted();
    const env = { PATH: searchPath, LC_ALL: 'C' };
    const child = execFile(program, args, { env, maxBuffer: mostOutputBytes }, (error, stdout, stderr) => {
      const isAbsent = error !== null && error.code === 'ENOENT';
      finish(() =>
        resolve(isAbsent ? { outcome: 'absent' } : { outcome: 'exited', code: child.exitCode, stdout, stderr }),
      );
    });
    const finish = (settle: () => void): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
      settle();
    };
    const giveUp = (settle: () => void): void => {
      child.kill('SIGKILL');
      child.unref();
      finish(settle);
    };
    const onAbort = (): void => giveUp(() => reject(signal.reason));
    const timer = setTimeout(() => giveUp(() => resolve({ outcome: 'timed_out', afterMs: timeoutMs })), timeoutMs);
    signal.addEventListener('abort', onAbort, { once: true });
    // A program that ends without reading what it is told closes the pipe; its exit tells more.
    child.stdin?.on('error', () => undefined);
    child.stdin?.end(stdin);
  });
