import { mkdir, mkdtemp, readlink, realpath, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  openBeneath,
  openFolder,
  PathFault,
  pathOfHandle,
} from '../../../../src/runner/backend/docker/open-beneath.ts';
import { startSwapper } from '../../../support/swapper.ts';

let base: string;
let root: string;
let outside: string;
beforeEach(async () => {
  base = await realpath(await mkdtemp(join(tmpdir(), 'weir-beneath-')));
  root = join(base, 'root');
  outside = join(base, 'outside');
  await mkdir(join(root, 'a/b'), { recursive: true });
  await mkdir(join(outside, 'b'), { recursive: true });
});
afterEach(() => rm(base, { recursive: true, force: true }));

async function where(path: string, subPath: string): Promise<string> {
  const handle = await openBeneath(await openFolder(path), subPath);
  try {
    return await readlink(pathOfHandle(handle));
  } finally {
    await handle.close();
  }
}

describe('a folder that is opened beneath another', () => {
  it('is the one of that path', async () => {
    expect(await where(root, 'a/b')).toBe(join(root, 'a/b'));
    expect(await where(root, '')).toBe(root);
  });

  it.each([
    ['a link to a folder outside', 'a/link', 'is a link'],
    ['a link on the way', 'a/link/b', 'is a link'],
    ['a link back into it', 'a/home', 'is a link'],
    ['a file', 'a/file', 'is not a folder'],
    ['nothing', 'a/none', 'is not there'],
    ['a way up', 'a/../..', 'holds ".."'],
  ])('is never %s', async (_what, subPath, why) => {
    await symlink(outside, join(root, 'a/link'));
    await symlink(root, join(root, 'a/home'));
    await writeFile(join(root, 'a/file'), '');
    const opened = where(root, subPath);
    await expect(opened).rejects.toBeInstanceOf(PathFault);
    await expect(opened).rejects.toThrow(why);
  });

  it('is refused when the way to the root goes over a link', async () => {
    await symlink(root, join(base, 'alias'));
    await expect(openFolder(join(base, 'alias/a'))).rejects.toThrow('"alias" in');
  });

  it('stays where it was when its path is another one later', async () => {
    const handle = await openBeneath(await openFolder(root), 'a');
    await rename(join(root, 'a'), join(root, 'moved'));
    await symlink(outside, join(root, 'a'));
    expect(await readlink(pathOfHandle(handle))).toBe(join(root, 'moved'));
    await handle.close();
  });

  it('is never outside while somebody swaps the sub-path for a link, in thousands of tries', async () => {
    const swapper = await startSwapper(join(root, 'a'), outside);
    const seen = { inside: 0, refused: 0, outside: 0 };
    for (let tries = 0; tries < 5000; tries += 1) {
      const found = await where(root, 'a/b').catch((error: unknown) => {
        if (error instanceof PathFault) return null;
        throw error;
      });
      if (found === null) seen.refused += 1;
      else if (found.startsWith(`${root}/`)) seen.inside += 1;
      else seen.outside += 1;
    }
    await swapper.stop();
    expect(seen.outside).toBe(0);
    // Else nothing was swapped, and nothing is proved.
    expect(Math.min(seen.inside, seen.refused)).toBeGreaterThan(50);
  }, 30_000);
});
