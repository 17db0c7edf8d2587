import { execFile, spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { vi } from 'vitest';
import { demoImage } from './docker.ts';

const run = promisify(execFile);

/** A Docker Engine of a test's own, which it may stop and kill: its own data, sockets and containerd. */
export interface OwnEngine extends AsyncDisposable {
  socketPath: string;
  start(): Promise<void>;
  /** Ends the engine; the containers' fate is its own doing. */
  stop(signal: 'SIGTERM' | 'SIGKILL'): Promise<void>;
}

export async function createOwnEngine(): Promise<OwnEngine> {
  const folder = await mkdtemp(join(tmpdir(), 'weir-engine-'));
  const socketPath = join(folder, 'docker.sock');
  const host = `unix://${socketPath}`;
  const log = await open(join(folder, 'log'), 'a');
  let child: ChildProcess | null = null;
  const engine: OwnEngine = {
    socketPath,
    async start() {
      // In a network namespace of its own: an engine without a bridge deletes `docker0`, the other engine's.
      child = spawn('unshare', ['--net', 'dockerd', ...engineArgs(folder, host)], {
        stdio: ['ignore', log.fd, log.fd],
      });
      await vi.waitFor(() => run('docker', ['-H', host, 'version']), {
        timeout: 30_000,
        interval: 100,
      });
    },
    async stop(signal) {
      if (child === null) return;
      const exited = once(child, 'exit');
      child.kill(signal);
      await exited;
      child = null;
      // Where nobody reaps orphans, its dead containerd still has a process id, and the next engine waits for it.
      await rm(join(folder, 'exec/containerd/containerd.pid'), { force: true });
    },
    async [Symbol.asyncDispose]() {
      if (child === null) await engine.start();
      await run('sh', ['-c', `docker -H ${host} ps -aq | xargs -r docker -H ${host} rm -fv`]);
      await engine.stop('SIGTERM');
      await log.close();
      await run('sh', ['-c', `grep ' ${folder}' /proc/mounts | cut -d' ' -f2 | tac | xargs -r umount -l`]);
      await rm(folder, { recursive: true, force: true });
    },
  };
  await engine.start();
  await run('sh', ['-c', `docker save ${demoImage} | docker -H ${host} load`]);
  return engine;
}

function engineArgs(folder: string, host: string): string[] {
  return [
    `--host=${host}`,
    `--data-root=${join(folder, 'data')}`,
    `--exec-root=${join(folder, 'exec')}`,
    `--pidfile=${join(folder, 'docker.pid')}`,
    '--bridge=none',
    '--iptables=false',
    '--ip6tables=false',
    '--live-restore=false',
  ];
}
