import { execFile } from 'node:child_process';
import { chmod, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { completionScripts } from '../../src/cli/completion/scripts.ts';
import { openTerminal } from './cli-harness.ts';
import { startSmallHost } from './small-host.ts';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'weir-tab-'));
  await writeFile(join(folder, 'script.bash'), completionScripts.bash);
});

afterEach(() => rm(folder, { recursive: true, force: true }));

/** What bash offers for these words, the last one at the cursor; `weir` writes down its words and says these lines. */
async function pressTab(words: readonly string[], answer: string) {
  const weir = join(folder, 'weir');
  await writeFile(
    weir,
    `#!/bin/sh\nfor word in "$@"; do printf '%s\\n' "$word"; done > '${folder}/asked'\ncat '${folder}/answer'\n`,
  );
  await chmod(weir, 0o755);
  await writeFile(join(folder, 'answer'), answer);
  const program = `source ./script.bash; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _weir; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const env = { PATH: `${folder}:/usr/bin:/bin` };
  const { stdout } = await promisify(execFile)('bash', ['-c', program, 'bash', 'weir', ...words], {
    cwd: folder,
    env,
  });
  const asked = (await readFile(join(folder, 'asked'), 'utf8')).trimEnd().split('\n');
  return { offered: stdout.trimEnd().split('\n'), asked };
}

describe('the script for bash', () => {
  it('hands the words on and offers the lines without their descriptions', async () => {
    const { offered, asked } = await pressTab(['task', 'l'], 'list\tlist tasks\nlogs\tprint\n');
    expect(asked).toEqual(['complete', '--', 'task', 'l']);
    expect(offered).toEqual(['list', 'logs']);
  });

  it.each(['$(touch ran)', '`touch ran`', '"; touch ran; "', "'$(touch ran)", '$((a[$(touch ran)]))', '*'])(
    'runs nothing of %s, neither typed nor answered',
    async (word) => {
      const { asked, offered } = await pressTab(['run', '-e', word, word], `${word}\t${word}\n`);
      expect(asked).toEqual(['complete', '--', 'run', '-e', word, word]);
      expect(offered).toEqual([word]);
      expect(await readdir(folder)).not.toContain('ran');
    },
  );

  it('puts together what bash cuts, and offers only what is missing', async () => {
    const flag = await pressTab(['task', 'list', '--output', '=', 'j'], '--output=json\t\n');
    expect(flag.asked).toEqual(['complete', '--', 'task', 'list', '--output=j']);
    expect(flag.offered).toEqual(['json']);
    const begun = await pressTab(['task', 'list', '--output', '='], '--output=json\t\n');
    expect(begun.asked.at(-1)).toBe('--output=');
    expect(begun.offered).toEqual(['json']);
    const place = await pressTab(['run', '--target', 'gpu-1', '::', '0', '--no'], '--node\t\n');
    expect(place.asked.slice(3)).toEqual(['--target', 'gpu-1::0', '--no']);
  });

  it('lets the shell find files', async () => {
    const { offered } = await pressTab(['task', 'submit', '-f', 'scr'], ':files\t\n');
    expect(offered).toEqual(['script.bash']);
  });

  it.each(Object.entries(completionScripts))('of %s evaluates nothing', (_shell, script) => {
    expect(script).not.toMatch(/\beval\b/);
    expect(script).toMatch(/weir complete -- /);
  });
});

describe('weir complete', () => {
  async function completed(env: Record<string, string>, ...words: string[]): Promise<string> {
    const terminal = await openTerminal({ env });
    expect(await terminal.weir('complete', '--', ...words)).toBe(0);
    expect(terminal.stderr.text()).toBe('');
    const text = terminal.stdout.text();
    await terminal[Symbol.asyncDispose]();
    return text;
  }

  it('knows commands, options, and the words that an option takes', async () => {
    expect(await completed({}, 'node', 'cor')).toMatch(/^cordon\t/);
    expect(await completed({}, '--data', '/x', 'node', 'cor')).toMatch(/^cordon\t/);
    expect(await completed({}, 'run', '--cpu-l')).toMatch(/^--cpu-limit\t/);
    expect(await completed({}, 'run', '--cpu-limit', 'b')).toBe('burst\t\n');
    expect(await completed({}, 'run', '--cpu-limit=b')).toBe('--cpu-limit=burst\t\n');
    expect(await completed({}, 'up', '--data', '')).toBe(':folders\t\n');
    expect(await completed({}, 'run', '--', 'x', '')).toBe(':files\t\n');
  });

  it('is silent without a Host, and with one that refuses or says nothing', async () => {
    expect(await completed({}, 'task', 'show', '')).toBe('');
    expect(await completed({ WEIR_URL: 'http://127.0.0.1:1', WEIR_TOKEN: 'x' }, 'task', 'show', '')).toBe('');
    const host = await startSmallHost();
    expect(await completed({ WEIR_URL: host.url, WEIR_TOKEN: 'wrong' }, 'task', 'show', '')).toBe('');
    host.intercept(() => true);
    expect(await completed({ WEIR_URL: host.url, WEIR_TOKEN: host.token }, 'task', 'show', '')).toBe('');
    await host[Symbol.asyncDispose]();
  });

  it('offers no name that a shell would take for more than a word', async () => {
    const host = await startSmallHost();
    const env = { WEIR_URL: host.url, WEIR_TOKEN: host.token };
    const terminal = await openTerminal({ env });
    for (const name of ['fine', '$(boom)']) await terminal.weir('task', 'submit', '--image', 'i', '--name', name);
    expect(await completed(env, 'task', 'show', '')).toBe('t1\tfine queued\nfine\tt1 queued\nt2\t queued\n');
    await terminal[Symbol.asyncDispose]();
    await host[Symbol.asyncDispose]();
  });
});
