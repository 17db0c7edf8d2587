import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';

/** A process that makes `path` the folder, then a link to `target`, then the folder again, as fast as it can. */
export interface Swapper {
  stop(): Promise<void>;
}

const program = `
  const fs = require('node:fs');
  const [path, target] = process.argv.slice(1);
  fs.symlinkSync(target, path + '.link');
  process.stdout.write('ready');
  for (;;) {
    fs.renameSync(path, path + '.real');
    fs.renameSync(path + '.link', path);
    fs.renameSync(path, path + '.link');
    fs.renameSync(path + '.real', path);
  }`;

export async function startSwapper(path: string, target: string): Promise<Swapper> {
  const child: ChildProcess & { stdout: NodeJS.ReadableStream } = spawn(
    process.execPath,
    ['-e', program, path, target],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  await once(child.stdout, 'data');
  return {
    async stop() {
      const exited = once(child, 'exit');
      child.kill('SIGKILL');
      await exited;
    },
  };
}
