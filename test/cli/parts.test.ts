import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { pairs } from '../../src/cli/arguments.ts';
import { lines } from '../../src/cli/client/lines.ts';
import { type ServerEvent, serverEvents } from '../../src/cli/client/sse.ts';
import { path } from '../../src/cli/client/api.ts';
import { findFolders } from '../../src/cli/folders.ts';
import { handleInterrupts } from '../../src/cli/follow/interrupts.ts';
import { createStatusLine } from '../../src/cli/follow/status-line.ts';
import { taskExitCode } from '../../src/cli/follow/task-exit.ts';
import { age, span } from '../../src/cli/output/age.ts';
import { jsonText } from '../../src/cli/output/print.ts';
import { createStyle } from '../../src/cli/output/style.ts';
import { sheet, table } from '../../src/cli/output/table.ts';
import { specsFromFlags } from '../../src/cli/spec/from-flags.ts';
import { bareEnd, type End, endedState } from '../../src/protocol/task-end.ts';
import { captureOutput } from './cli-harness.ts';

async function* chunked(bytes: Uint8Array, sizes: readonly number[]): AsyncGenerator<Uint8Array> {
  let at = 0;
  for (const size of [...sizes, bytes.length]) {
    if (at < bytes.length) yield bytes.subarray(at, at + size);
    at += size;
  }
}

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const item of items) list.push(item);
  return list;
}

describe('a table', () => {
  it('aligns its columns, with two spaces between and none at the end', () => {
    expect(
      table(
        ['ID', 'NAME'],
        [
          ['t1', 'a'],
          ['t1k7', ''],
        ],
      ),
    ).toBe('ID    NAME\nt1    a\nt1k7  -\n');
  });

  it('takes no width for styles, and no line or escape from a cell', () => {
    const red = (text: string): string => `<red>${text}</red>`;
    expect(table(['A', 'B'], [[{ text: 'x', style: red }, 'one\ntwo\u001b[31m']])).toBe(
      'A  B\n<red>x</red>  one two\\x1b[31m\n',
    );
  });

  it('of one thing leaves out what is not there', () => {
    expect(
      sheet([
        ['id', 't1'],
        ['node', null],
        ['state', 'queued'],
      ]),
    ).toBe('id:     t1\nstate:  queued\n');
  });
});

describe('lines and events', () => {
  it('come out the same however the bytes were cut', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.string({ unit: 'grapheme' }).map((text) => text.replace(/[\r\n]/g, ' '))),
        fc.array(fc.integer({ min: 1, max: 9 })),
        async (texts, sizes) => {
          const bytes = new TextEncoder().encode(texts.map((text) => `${text}\n`).join(''));
          expect(await all(lines(chunked(bytes, sizes)))).toEqual(texts);
        },
      ),
    );
  });

  it('are read as the standard says: comments dropped, data joined, an unfinished event dropped', async () => {
    const text = ': hello\nid: 7\nevent: task.running\ndata: {"a":\ndata: 1}\n\ndata:next\n\ndata: cut';
    const read: ServerEvent[] = await all(serverEvents(lines(chunked(new TextEncoder().encode(text), [3]))));
    expect(read).toEqual([
      { id: '7', type: 'task.running', data: '{"a":\n1}' },
      { id: '7', type: 'message', data: 'next' },
    ]);
  });
});

describe('a part of a path', () => {
  it('stays one part, whatever a person types', () => {
    expect(path('tasks', '../nodes?x#y')).toBe('/tasks/..%2Fnodes%3Fx%23y');
    for (const part of ['..', '.', '']) expect(() => path('tasks', part, 'kill')).toThrow(/neither an id/);
  });
});

describe('the exit code of a task', () => {
  const at = '2026-01-01T00:00:00.000Z';
  const code = (end: Partial<End> & Pick<End, 'cause'>, startedAt: string | null = at): number => {
    const whole = { ...bareEnd(end.cause, ''), ...end };
    return taskExitCode({ state: endedState(whole), end: whole, startedAt });
  };
  it.each([
    [code({ cause: 'exit', exitCode: 0 }), 0],
    [code({ cause: 'exit', exitCode: 3 }), 3],
    [code({ cause: 'signal', signal: 'SIGSEGV' }), 139],
    [code({ cause: 'oom', exitCode: 137 }), 137],
    [code({ cause: 'timeout', signal: 'SIGTERM' }), 143],
    [code({ cause: 'timeout', exitCode: 0 }), 1],
    [code({ cause: 'node_lost' }), 1],
    [code({ cause: 'killed_by' }, null), 125],
    [code({ cause: 'image_not_found' }), 125],
    [code({ cause: 'start_failed', exitCode: 127 }), 125],
  ])('%i stands for its end as %i', (actual, expected) => {
    expect(actual).toBe(expected);
  });
});

describe('options', () => {
  it('become a spec that leaves the rest to the Host', () => {
    const around = { env: { HOME: '/root' }, nowMs: 0 };
    expect(specsFromFlags({ image: 'i' }, [], around)).toEqual([{ image: 'i' }]);
    expect(
      specsFromFlags(
        {
          image: 'i',
          cpus: 1.5,
          memory: '1GiB',
          gpus: 'GPU-a,GPU-b',
          env: ['A=b=c', 'HOME'],
          node: 'n1',
          nodeLabel: ['disk=nvme'],
          label: ['x=1', 'x=2'],
          timeLimit: '1h',
        },
        ['run', '--fast'],
        around,
      ),
    ).toEqual([
      {
        image: 'i',
        command: ['run', '--fast'],
        env: { A: 'b=c', HOME: '/root' },
        resources: { cpus: 1.5, memory: '1GiB', gpus: { uuids: ['GPU-a', 'GPU-b'] } },
        placement: { node: 'n1', labels: { disk: 'nvme' } },
        labels: { x: '2' },
        timeLimit: '1h',
      },
    ]);
  });

  it('refuse a label without a value', () => {
    expect(() => pairs(['novalue'], '--label')).toThrow(/KEY=VALUE/);
  });
});

describe('folders', () => {
  it('follow XDG, ignore what is not absolute, and are /var/lib/weir for root', () => {
    const platform = 'linux';
    expect(findFolders({ env: {}, home: '/home/ann', uid: 1000, platform })).toEqual({
      config: '/home/ann/.config/weir',
      data: '/home/ann/.local/share/weir',
      system: '/etc/weir',
    });
    const env = { XDG_CONFIG_HOME: '/c', XDG_DATA_HOME: 'relative' };
    expect(findFolders({ env, home: '/root', uid: 0, platform })).toEqual({
      config: '/c/weir',
      data: '/var/lib/weir',
      system: '/etc/weir',
    });
  });

  it('are where macOS has them, unless XDG says otherwise', () => {
    const mac = { home: '/Users/ann', uid: 501, platform: 'darwin' };
    const library = '/Users/ann/Library/Application Support/weir';
    expect(findFolders({ ...mac, env: {} })).toEqual({
      config: library,
      data: library,
      system: '/etc/weir',
    });
    const env = { XDG_CONFIG_HOME: '/Users/ann/.config' };
    expect(findFolders({ ...mac, env }).config).toBe('/Users/ann/.config/weir');
  });

  it('are where Windows has them, with or without its variables', () => {
    const windows = { home: 'C:\\Users\\ann', uid: -1, platform: 'win32' };
    expect(findFolders({ ...windows, env: {} })).toEqual({
      config: 'C:\\Users\\ann\\AppData\\Roaming\\weir',
      data: 'C:\\Users\\ann\\AppData\\Local\\weir',
      system: 'C:\\ProgramData\\weir',
    });
    const env = { APPDATA: 'D:\\roam', LOCALAPPDATA: 'relative', XDG_CONFIG_HOME: '/x' };
    expect(findFolders({ ...windows, env })).toMatchObject({
      config: 'D:\\roam\\weir',
      data: 'C:\\Users\\ann\\AppData\\Local\\weir',
    });
  });
});

describe('Ctrl-C', () => {
  function desk(first: 'killable' | 'nothing yet') {
    const log: string[] = [];
    let press = (): void => undefined;
    let windowOver: () => void = () => undefined;
    const clock = {
      now: () => 0,
      monotonic: () => 0,
      defer: (fn: () => void) => fn(),
      sleep: () => new Promise<void>((resolve) => (windowOver = resolve)),
    };
    handleInterrupts({
      clock,
      windowMs: 2000,
      onInterrupt: (listener) => {
        press = listener;
        return () => undefined;
      },
      onFirst: () => {
        log.push('first');
        return first;
      },
      leave: () => log.push('leave'),
      kill: () => log.push('kill'),
    });
    const passWindow = async (): Promise<void> => {
      windowOver();
      await Promise.resolve();
      await Promise.resolve();
    };
    return { log, press: () => press(), passWindow };
  }

  it('once leaves when the time for a second is over', async () => {
    const { log, press, passWindow } = desk('killable');
    press();
    expect(log).toEqual(['first']);
    await passWindow();
    expect(log).toEqual(['first', 'leave']);
  });

  it('twice kills and stays for the end, a third time leaves', async () => {
    const { log, press, passWindow } = desk('killable');
    press();
    press();
    await passWindow();
    expect(log).toEqual(['first', 'kill']);
    press();
    expect(log).toEqual(['first', 'kill', 'leave']);
  });

  it('leaves at once when there is no task yet', () => {
    const { log, press } = desk('nothing yet');
    press();
    expect(log).toEqual(['first', 'leave']);
  });
});

describe('what is going on', () => {
  it('is a line for each change where lines stay, and one line that changes on a terminal', () => {
    const plain = captureOutput();
    const plainLine = createStatusLine(plain);
    plainLine.show('pulling 1 %', 'pulling');
    plainLine.show('pulling 2 %', 'pulling');
    plainLine.show('running', 'running');
    expect(plain.text()).toBe('pulling 1 %\nrunning\n');
    const live = captureOutput({ isTTY: true });
    const liveLine = createStatusLine(live);
    liveLine.show('pulling 1 %', 'pulling');
    liveLine.show('pulling 2 %\u001b[2J', 'pulling');
    liveLine.clear();
    expect(live.text()).toBe('\r\u001b[2Kpulling 1 %\r\u001b[2Kpulling 2 %\\x1b[2J\r\u001b[2K');
  });

  it('is coloured on a terminal alone, and never with NO_COLOR', () => {
    const paint = (isTTY: boolean, env: Record<string, string>): string => createStyle({ isTTY }, env)('red', 'x');
    expect(paint(true, {})).toBe('\u001b[31mx\u001b[39m');
    expect(paint(false, {})).toBe('x');
    expect(paint(true, { NO_COLOR: '1' })).toBe('x');
    expect(paint(true, { TERM: 'dumb' })).toBe('x');
  });

  it('tells times as people do', () => {
    expect(age('2026-01-01T00:00:00.000Z', Date.parse('2026-01-01T01:30:05.000Z'))).toBe('1h30m');
    expect(age(null, 0)).toBe('-');
    expect(span('2026-01-01T00:00:00.000Z', '2026-01-01T00:00:00.250Z')).toBe('0.3s');
  });

  it('has no control character in JSON', () => {
    const text = jsonText({ name: 'a\u009b31m\u007f\u001b' });
    expect(text).toBe('{"name":"a\\u009b31m\\u007f\\u001b"}');
    expect(JSON.parse(text)).toEqual({ name: 'a\u009b31m\u007f\u001b' });
  });
});
