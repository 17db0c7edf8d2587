import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { connect, ensureBuilt, startWeir, waitForNode, weirMain } from '../../scripts/demo-weir.mjs';
import { docker } from '../support/docker.ts';
import { blocksOf, matches, readPages, type Block } from './pages.ts';

const pages = readPages()
  .map(({ name, text: page }) => ({ name, blocks: blocksOf(page) }))
  .filter(({ blocks }) => blocks.length > 0);

const bot = fileURLToPath(new URL('../../docs/recipes/bot.mjs', import.meta.url));

interface Shell {
  cwd: string;
  env: Record<string, string>;
}

/** A Host and a Runner of their own in a new folder, and a shell that finds `weir` and them. */
async function withWeir(use: (shell: Shell) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'weir-docs-'));
  try {
    await mkdir(join(folder, 'work'));
    await copyFile(bot, join(folder, 'work', 'bot.mjs'));
    await mkdir(join(folder, 'data'));
    await runWeir(folder, use);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function runWeir(folder: string, use: (shell: Shell) => Promise<void>): Promise<void> {
  const bin = await makeCommand(folder);
  const never = new AbortController().signal;
  const weir = await startWeir(join(folder, 'data'), never);
  let cluster = '';
  try {
    const api = connect(weir, never);
    await waitForNode(api, never);
    cluster = String((await api.json('/status')).cluster);
    const PATH = `${bin}:${process.env['PATH'] ?? ''}`;
    const env = { PATH, HOME: folder, WEIR_URL: weir.url, WEIR_TOKEN: weir.token };
    await use({ cwd: join(folder, 'work'), env });
  } finally {
    await weir.stop();
    await removeContainers(cluster);
  }
}

/** The built `weir` as a command; answers its folder. */
async function makeCommand(folder: string): Promise<string> {
  const path = join(folder, 'bin', 'weir');
  await mkdir(join(folder, 'bin'));
  await writeFile(path, `#!/bin/sh\nexec "${process.execPath}" "${weirMain}" "$@"\n`, {
    mode: 0o755,
  });
  return join(folder, 'bin');
}

/** The Runner may have left the engine in the middle of a removal. */
async function removeContainers(cluster: string): Promise<void> {
  await vi.waitFor(
    async () => {
      const left = await docker('ps', '-aq', '--filter', `label=weir.cluster=${cluster}`);
      if (left === '') return;
      await docker('rm', '-fv', ...left.split('\n')).catch(() => undefined);
      throw new Error(`containers are left: ${left}`);
    },
    { timeout: 10_000 },
  );
}

/** The blocks one behind the other in one shell, as somebody types them; it ends at the first that fails. */
function scriptOf(blocks: readonly Block[]): string {
  const parts = blocks.map(
    ({ script }, at) => `{\n${script}\n} > ../out.${at} 2> ../err.${at}\necho ok > ../ok.${at}\n`,
  );
  return `set -e -o pipefail\n${parts.join('')}`;
}

async function faultOf({ script, expected, line }: Block, at: number, folder: string): Promise<string | null> {
  const read = (file: string): Promise<string> => readFile(join(folder, `${file}.${at}`), 'utf8').catch(() => '');
  const [output, errors] = [await read('out'), await read('err')];
  const told = `line ${line}:\n${script}\nprinted:\n${output}\nand on stderr:\n${errors}`;
  if ((await read('ok')) === '') return `a command failed, ${told}`;
  return expected === null || matches(expected, output) ? null : `the page shows something else, ${told}`;
}

describe('the commands of the documentation', { timeout: 120_000 }, () => {
  beforeAll(() => void ensureBuilt());

  it.each(pages)('work as $name shows them', async ({ blocks }) => {
    await withWeir(async ({ cwd, env }) => {
      await writeFile(join(cwd, '..', 'page.sh'), scriptOf(blocks));
      const child = spawn('timeout', ['--kill-after=5', '90', 'bash', '../page.sh'], {
        cwd,
        env,
        stdio: ['ignore', 'ignore', 'pipe'],
      });
      const [errors] = await Promise.all([text(child.stderr), once(child, 'close')]);
      expect(errors).toBe('');
      const folder = join(cwd, '..');
      const faults = await Promise.all(blocks.map((block, at) => faultOf(block, at, folder)));
      expect(faults.filter((fault) => fault !== null).join('\n\n')).toBe('');
    });
  });
});
