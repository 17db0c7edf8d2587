import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { blocksOf, brokenLinks, matches, readPages, unknownFiles } from './pages.ts';

describe('a page', () => {
  it('has its commands run, and what stands behind them compared', () => {
    const text = '# A\n```sh\necho 1\n```\nIt says:\n```text\n1\n```\n```console\n# reboot\n```\n```sh\ntrue\n```\n';
    expect(blocksOf(text)).toEqual([
      { line: 3, script: 'echo 1\n', expected: '1\n' },
      { line: 13, script: 'true\n', expected: null },
    ]);
  });

  it('may leave out what changes from run to run, and nothing else', () => {
    expect(matches('t… failed  exit 3\n', 't17   failed exit 3')).toBe(true);
    expect(matches('t… failed exit 3', 't17 failed exit 4')).toBe(false);
    expect(matches('one\n…\nlast', 'one\ntwo\nthree\nlast')).toBe(true);
    expect(matches('one', 'one\ntwo')).toBe(false);
  });

  it.each(readPages().map((page) => [page.name, page] as const))('%s links to files that are there', (_name, page) => {
    expect(brokenLinks(page)).toEqual([]);
  });

  it('that draws the map names files that are there', () => {
    const name = 'src/README.md';
    const text = readFileSync(new URL(`../../${name}`, import.meta.url), 'utf8');
    expect(brokenLinks({ name, text })).toEqual([]);
    expect(unknownFiles(text)).toEqual([]);
    expect(unknownFiles('`host/tasks/fly.ts` and `tasks/kill.ts`')).toEqual(['host/tasks/fly.ts']);
  });
});
