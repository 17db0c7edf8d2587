import { readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createLogger } from '../../../src/lib/node/logger.ts';
import { logText } from '../../../src/lib/node/log-text.ts';
import { scratchFolder } from './scratch-folder.ts';

describe('a log in a file', () => {
  it('holds a record a line, of its level and above, without secrets', () => {
    const file = join(scratchFolder(), 'weir.log');
    const log = createLogger({ level: 'info', file, format: 'json' });
    log.debug({}, 'not this');
    log.child({ node: 'n1' }).info({ token: 'canary', url: 'u' }, 'said');
    const [line = '', ...others] = readFileSync(file, 'utf8').trim().split('\n');
    expect(others).toEqual([]);
    expect(JSON.parse(line)).toMatchObject({
      level: 30,
      node: 'n1',
      url: 'u',
      token: '[Redacted]',
      msg: 'said',
    });
  });

  it('goes on in a new file when the old one was moved away and it is told', () => {
    const folder = scratchFolder();
    const file = join(folder, 'weir.log');
    const log = createLogger({ level: 'info', file, format: 'text' });
    log.info({}, 'before');
    renameSync(file, join(folder, 'weir.log.1'));
    log.info({}, 'between');
    log.reopen();
    log.info({}, 'after');
    expect(readFileSync(join(folder, 'weir.log.1'), 'utf8')).toMatch(/ before\n.* between\n$/);
    expect(readFileSync(file, 'utf8')).toMatch(/^\S+Z info {2}after\n$/);
  });

  it('that cannot be written is told at the start', () => {
    expect(() => createLogger({ level: 'info', file: '/nowhere/weir.log', format: 'json' })).toThrow(/ENOENT/);
  });
});

describe('a record as text', () => {
  it('is one line: time, level, sentence, fields; nothing in it reaches the terminal as a command', () => {
    const line = JSON.stringify({
      level: 50,
      time: '2026-01-01T00:00:00.000Z',
      url: 'http://x:1',
      err: { message: 'a\nb' },
      n: 3,
      msg: 'said \u001b[31m\nso',
    });
    expect(logText(line)).toBe('2026-01-01T00:00:00.000Z error said \\x1b[31m so url=http://x:1 err="a\\nb" n=3\n');
  });
});
