import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** The command line of this checkout as a process of its own. */
export interface WeirProcess {
  readonly pid: number;
  /** All that it has printed. */
  output(): string;
  /** Waits for a line of what it prints; fails when it ends before. */
  shows(pattern: RegExp): Promise<void>;
  /** Waits until it has ended by itself; answers the exit code. */
  ended(): Promise<number | null>;
  /** Sends the signal and waits for the end; answers the exit code, `null` after a signal. */
  end(signal: 'SIGTERM' | 'SIGKILL'): Promise<number | null>;
}

export type BuiltOrSource = 'built' | 'source';

/** Runs `weir ARGS`, by `tsx` from source or as it was built. */
export function startWeir(
  args: readonly string[],
  from: BuiltOrSource = 'source',
  env: Record<string, string> = {},
): WeirProcess {
  const entry = from === 'built' ? [builtMain] : ['--import', 'tsx', join(root, 'src/cli/main.ts')];
  const child = spawn(process.execPath, [...entry, ...args], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...env },
  });
  let output = '';
  const look = new Set<() => void>();
  const take = (chunk: Buffer): void => {
    output += chunk.toString();
    for (const check of look) check();
  };
  child.stdout.on('data', take);
  child.stderr.on('data', take);
  const over = once(child, 'close').then(() => {
    for (const check of look) check();
  });
  const isOver = (): boolean => child.exitCode !== null || child.signalCode !== null;
  return {
    pid: child.pid ?? -1,
    output: () => output,
    shows: (pattern) =>
      new Promise((resolve, reject) => {
        const check = (): void => {
          const found = pattern.test(output);
          if (!found && !isOver()) return;
          look.delete(check);
          if (found) resolve();
          else reject(new Error(`weir ${args.join(' ')} ended without ${pattern}:\n${output}`));
        };
        look.add(check);
        check();
      }),
    async ended() {
      await over;
      return child.exitCode;
    },
    async end(signal) {
      if (!isOver()) child.kill(signal);
      await over;
      return child.exitCode;
    },
  };
}

const builtMain = join(root, 'dist/cli/main.js');

export function isBuilt(): boolean {
  return existsSync(builtMain);
}
