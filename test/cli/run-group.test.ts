import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import fc from 'fast-check';
import type { LogSource } from '../../src/cli/client/log-records.ts';
import { prefixedLines } from '../../src/cli/follow/prefixed-lines.ts';
import { createSlots } from '../../src/cli/follow/slots.ts';
import { openTerminal, type Terminal } from './cli-harness.ts';
import { type SmallHost, startSmallHost } from './small-host.ts';

let host: SmallHost;
let terminal: Terminal;

beforeEach(async () => {
  host = await startSmallHost();
  terminal = await openTerminal({ env: { WEIR_URL: host.url, WEIR_TOKEN: host.token } });
});

afterEach(async () => {
  await terminal[Symbol.asyncDispose]();
  await host[Symbol.asyncDispose]();
});

async function begun(...argv: string[]): Promise<{ ended: Promise<number> }> {
  const ended = terminal.weir('run', '--image', 'i', ...argv);
  await host.asked(/^GET .*\/events/);
  return { ended };
}

const exit = (id: string, exitCode: number): void => host.end(id, { cause: 'exit', exitCode });

describe('weir run of an array', () => {
  it('shows the lines of all members, each with its index, and ends with 0 when all succeeded', async () => {
    const { ended } = await begun('--array', '3-4', '--', 'x');
    for (const id of ['t1.3', 't1.4']) host.move(id, 'running');
    host.write('t1.3', 'stdout', 'one\ntw');
    host.write('t1.4', 'stderr', 'other\n');
    host.write('t1.3', 'stdout', 'o\nno end');
    exit('t1.3', 0);
    exit('t1.4', 0);
    expect(await ended).toBe(0);
    expect(terminal.stdout.text()).toBe('[3] one\n[3] two\n[3] no end\n');
    expect(terminal.stderr.text()).toContain('[4] other\n');
    expect(terminal.stderr.text()).toMatch(/weir: t1: 2 succeeded\n$/);
  });

  it('tells which members did not succeed, and ends with 1', async () => {
    const { ended } = await begun('--array', '0-2', '--', 'x');
    exit('t1.0', 0);
    host.end('t1.1', { cause: 'oom', exitCode: 137 });
    exit('t1.2', 3);
    expect(await ended).toBe(1);
    expect(terminal.stderr.text()).toMatch(/\[1\] t1\.1 failed: oom\nweir: \[2\] t1\.2 failed: exit 3\n/);
  });

  it('goes on where it was when the connection breaks', { timeout: 10_000 }, async () => {
    const { ended } = await begun('--array', '0-1', '--', 'x');
    host.move('t1.0', 'running');
    host.write('t1.0', 'stdout', 'before\n');
    await terminal.stdout.shows(/before/);
    await host.stop();
    host.write('t1.0', 'stdout', 'after\n');
    exit('t1.0', 0);
    exit('t1.1', 0);
    await host.restart();
    expect(await ended).toBe(0);
    expect(terminal.stdout.text()).toBe('[0] before\n[0] after\n');
  });

  it('reads all anew when events are no longer kept', { timeout: 10_000 }, async () => {
    let refused = false;
    host.intercept((request, response) => {
      if (refused || !request.url?.includes('/events')) return false;
      refused = true;
      exit('t1.0', 0);
      const problem = {
        type: 'x',
        title: 'x',
        status: 410,
        code: 'gone',
        detail: 'gone',
        requestId: 'r',
      };
      response.writeHead(410).end(JSON.stringify(problem));
      return true;
    });
    const { ended } = await begun('--array', '0-0', '--', 'x');
    expect(await ended).toBe(0);
    expect(refused).toBe(true);
  });

  it('is killed whole by Ctrl-C twice', async () => {
    const { ended } = await begun('--array', '0-1', '--', 'x');
    host.move('t1.0', 'running');
    terminal.pressCtrlC();
    terminal.pressCtrlC();
    expect(await ended).toBe(1);
    expect(host.tasks().map(({ state }) => state)).toEqual(['killed', 'killed', 'killed']);
  });
});

describe('weir run of several targets', () => {
  it('follows one task each, marked by the target', async () => {
    const { ended } = await begun('--target', 'gpu-1::0', '--target', 'gpu-2', '--', 'x');
    for (const [id, said] of [
      ['t1', 'a\n'],
      ['t2', 'b\n'],
    ] as const) {
      host.move(id, 'running');
      host.write(id, 'stdout', said);
      exit(id, 0);
    }
    expect(await ended).toBe(0);
    expect(terminal.stdout.text().split('\n').toSorted()).toEqual(['', '[gpu-1::0] a', '[gpu-2] b']);
    const places = host.tasks().map(({ spec }) => (spec as { placement: unknown }).placement);
    expect(places).toEqual([{ target: 'gpu-1::0' }, { target: 'gpu-2' }]);
  });

  it('tells two at one place apart by their ids', async () => {
    const { ended } = await begun('--target', 'a', '--target', 'a', '--', 'x');
    exit('t1', 0);
    exit('t2', 3);
    expect(await ended).toBe(1);
    expect(terminal.stderr.text()).toMatch(/weir: \[t2\] t2 failed: exit 3\n/);
  });

  it('prints the ids of all when it is detached', async () => {
    expect(await terminal.weir('run', '-d', '--image', 'i', '--target', 'a', '--target', 'b')).toBe(0);
    expect(terminal.stdout.text()).toBe('t1\nt2\n');
  });
});

describe('prefixed lines', () => {
  it('come out the same however the output was cut', async () => {
    const line = fc.string({ unit: 'grapheme', maxLength: 20 }).map((text) => text.replaceAll('\n', ' '));
    await fc.assert(
      fc.asyncProperty(fc.array(line), fc.array(fc.integer({ min: 1, max: 7 })), async (texts, sizes) => {
        const all = Buffer.from(texts.map((text) => `${text}\n`).join(''));
        let out = '';
        const write = ({ bytes }: { stream: LogSource; bytes: Uint8Array }) => {
          out += Buffer.from(bytes).toString('latin1');
          return Promise.resolve();
        };
        const lines = prefixedLines('> ', write);
        let at = 0;
        for (const size of [...sizes, all.length]) {
          await lines.push({ stream: 'stdout', bytes: all.subarray(at, at + size) });
          at += size;
        }
        await lines.flush();
        expect(Buffer.from(out, 'latin1').toString()).toBe(texts.map((text) => `> ${text}\n`).join(''));
      }),
    );
  });

  it('cut a line that never ends', async () => {
    let longest = 0;
    const lines = prefixedLines('', ({ bytes }) => {
      longest = Math.max(longest, bytes.length);
      return Promise.resolve();
    });
    for (let piece = 0; piece < 100; piece += 1)
      await lines.push({ stream: 'stdout', bytes: Buffer.alloc(10_000, 'x') });
    expect(longest).toBeGreaterThan(65_536);
    expect(longest).toBeLessThan(80_000);
  });
});

describe('slots', () => {
  it('let no more in than there are, and the next when one is done, failed or not', async () => {
    const within = createSlots(2);
    let inside = 0;
    let most = 0;
    const runs = Array.from({ length: 9 }, (_, at) =>
      within(async () => {
        inside += 1;
        most = Math.max(most, inside);
        await Promise.resolve();
        inside -= 1;
        if (at % 3 === 0) throw new Error('failed');
      }),
    );
    const ends = await Promise.allSettled(runs);
    expect(most).toBe(2);
    expect(ends.filter(({ status }) => status === 'rejected')).toHaveLength(3);
  });
});
