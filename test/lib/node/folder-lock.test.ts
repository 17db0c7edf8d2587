import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, statSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { FolderLockedError, lockFolder } from '../../../src/lib/node/folder-lock.ts';
import { scratchFolder } from './scratch-folder.ts';

const holder = fileURLToPath(new URL('lock-holder.ts', import.meta.url));

/** Starts another process that tries the lock; resolves with its first words. */
async function tryElsewhere(
  folder: string,
  wrapper: [string, ...string[]] | [] = [],
): Promise<{ child: ChildProcess; said: string }> {
  const [command, ...rest] = [...wrapper, process.execPath, '--import', 'tsx', holder, folder];
  const child = spawn(command, rest, { stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  const [said] = (await once(child.stdout.setEncoding('utf8'), 'data')) as [string];
  return { child, said: said.trim() };
}

describe('the lock of a folder', () => {
  it('is refused to a second process, in words that name the folder and who has it', async () => {
    const folder = scratchFolder();
    using lock = await lockFolder(folder);
    expect(lock).toBeDefined();
    const { said } = await tryElsewhere(folder);
    expect(said).toBe(
      `${folder} is in use by process ${process.pid} on ${hostname()}: stop it, or choose another data folder`,
    );
  });

  it('is free as soon as its holder is killed with -9', async () => {
    const folder = scratchFolder();
    const { child, said } = await tryElsewhere(folder);
    expect(said).toBe('held');
    const refused = await lockFolder(folder).catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(FolderLockedError);
    expect(refused).toMatchObject({ folder, pid: child.pid });
    child.kill('SIGKILL');
    await once(child, 'exit');
    using lock = await lockFolder(folder);
    expect(lock).toBeDefined();
    expect(readFileSync(join(folder, 'lock'), 'utf8')).toBe(`${process.pid} ${hostname()}\n`);
  });

  it('is refused to a second opener in the same process', async () => {
    const folder = scratchFolder();
    using lock = await lockFolder(folder);
    expect(lock).toBeDefined();
    await expect(lockFolder(folder)).rejects.toMatchObject({
      code: 'FOLDER_LOCKED',
      pid: process.pid,
    });
  });

  it('can be given back and taken again', async () => {
    const folder = join(scratchFolder(), 'new');
    const first = await lockFolder(folder);
    first[Symbol.dispose]();
    first[Symbol.dispose]();
    using second = await lockFolder(folder);
    expect(second).toBeDefined();
    expect(statSync(join(folder, 'lock')).mode & 0o777).toBe(0o600);
  });

  it('goes to one of many who ask at once', async () => {
    const folder = scratchFolder();
    const tries = await Promise.allSettled(Array.from({ length: 10 }, () => lockFolder(folder)));
    const won = tries.filter((result) => result.status === 'fulfilled');
    expect(won).toHaveLength(1);
    won[0]?.value[Symbol.dispose]();
  });

  it('does not pass to children that outlive its holder', async () => {
    const folder = scratchFolder();
    const lock = await lockFolder(folder);
    const child = spawn('sleep', ['60']);
    onTestFinished(() => void child.kill('SIGKILL'));
    await once(child, 'spawn');
    lock[Symbol.dispose]();
    using again = await lockFolder(folder);
    expect(again).toBeDefined();
  });

  it.runIf(process.getuid?.() === 0)('holds between network namespaces', async () => {
    const folder = scratchFolder();
    using lock = await lockFolder(folder);
    expect(lock).toBeDefined();
    const { said } = await tryElsewhere(folder, ['unshare', '--net', '--pid', '--fork']);
    expect(said).toContain(`in use by process ${process.pid}`);
  });

  it('says that flock is missing where it is', async () => {
    vi.stubEnv('PATH', scratchFolder());
    onTestFinished(() => void vi.unstubAllEnvs());
    await expect(lockFolder(scratchFolder())).rejects.toThrow('cannot run flock (of util-linux or busybox)');
  });
});
