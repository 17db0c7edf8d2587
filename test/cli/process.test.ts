import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';

const main = new URL('../../src/cli/main.ts', import.meta.url).pathname;

function weir(argv: readonly string[], env: Record<string, string> = {}) {
  const child = spawn(process.execPath, ['--import', 'tsx', main, ...argv], {
    env: { PATH: process.env['PATH'] ?? '', HOME: '/nonexistent', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  return { child, ended: once(child, 'close').then(([code]) => code as number | null) };
}

describe('the process', { timeout: 20_000 }, () => {
  it('ends with the code of its command and tells errors on stderr alone', async () => {
    const { child, ended } = weir(['task', 'list', '--limit', 'x']);
    const [out, err] = await Promise.all([text(child.stdout), text(child.stderr)]);
    expect(await ended).toBe(2);
    expect(out).toBe('');
    expect(err).toMatch(/^weir: .*\n$/);
  });

  it('ends quietly when its reader has gone', async () => {
    const { child, ended } = weir(['completion', 'bash']);
    child.stdout.destroy();
    expect(await text(child.stderr)).toBe('');
    expect(await ended).toBe(0);
  });

  it('completes commands, options and their values', async () => {
    const answers = await Promise.all(
      [
        ['task', 'l'],
        ['run', '--ima'],
        ['task', 'show', '-o', ''],
      ].map(async (words) => {
        const { child } = weir(['complete', '--', ...words]);
        return text(child.stdout);
      }),
    );
    expect(answers[0]).toMatch(/^list\t.*\nlogs\t/);
    expect(answers[1]).toMatch(/^--image\t/);
    expect(answers[2]).toMatch(/^table\t.*\nwide/);
  });
});
