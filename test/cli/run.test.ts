import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
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

const begin = (...argv: string[]): Promise<number> => terminal.weir('run', '--image', 'weir/demo:1', ...argv);

async function running(...argv: string[]): Promise<{ ended: Promise<number> }> {
  const ended = begin(...argv);
  await host.asked(/^GET .*\/events/);
  host.move('t1', 'running');
  await host.asked(/^GET .*\/logs/);
  return { ended };
}

describe('weir run', () => {
  it('sends the command, shows the output on its own streams and ends with the code of the task', async () => {
    const { ended } = await running('--cpus', '0.5', '-e', 'A=1', '--', 'sh', '-c', 'exit 3');
    host.write('t1', 'stdout', 'to out\n');
    host.write('t1', 'stderr', 'to err\n');
    host.end('t1', { cause: 'exit', exitCode: 3 });
    expect(await ended).toBe(3);
    expect(terminal.stdout.text()).toBe('to out\n');
    expect(terminal.stderr.text()).toContain('to err\n');
    expect(host.tasks()[0]?.['spec']).toEqual({
      image: 'weir/demo:1',
      command: ['sh', '-c', 'exit 3'],
      env: { A: '1' },
      resources: { cpus: 0.5 },
    });
  });

  it('says on stderr what a task waits for, once, and nothing while it runs', async () => {
    const { ended } = await running('--', 'true');
    host.end('t1', { cause: 'exit', exitCode: 0 });
    expect(await ended).toBe(0);
    expect(terminal.stderr.text()).toBe('weir: t1 is queued: waits for 1 core\n');
    expect(terminal.stdout.text()).toBe('');
  });

  it('ends with 125 and the reason when the task never started', async () => {
    const ended = begin('--', 'true');
    await host.asked(/^GET .*\/events/);
    host.end('t1', { cause: 'image_not_found', message: 'there is no image weir/demo:1' });
    expect(await ended).toBe(125);
    expect(terminal.stderr.text()).toContain('there is no image weir/demo:1');
  });

  it('ends with 128 + n when a signal ended the task', async () => {
    const { ended } = await running('--', 'true');
    host.end('t1', { cause: 'signal', signal: 'SIGKILL', message: 'SIGKILL' });
    expect(await ended).toBe(137);
  });

  it('hands on every byte exactly once, whatever breaks on the way', { timeout: 30_000 }, async () => {
    const breakage = fc.constantFrom('nothing', 'cut', 'finish');
    const piece = fc.record({
      stream: fc.constantFrom('stdout', 'stderr'),
      bytes: fc.uint8Array({ minLength: 1, maxLength: 300 }),
      breakage,
    });
    await fc.assert(
      fc.asyncProperty(fc.array(piece, { minLength: 1, maxLength: 6 }), async (pieces) => {
        const own = await startSmallHost();
        const desk = await openTerminal({ env: { WEIR_URL: own.url, WEIR_TOKEN: own.token } });
        const ended = desk.weir('run', '--image', 'i', '--', 'true');
        await own.asked(/^GET .*\/events/);
        own.move('t1', 'running');
        await own.asked(/^GET .*\/logs/);
        for (const { stream, bytes, breakage: broken } of pieces) {
          own.write('t1', stream, bytes);
          if (broken === 'cut') own.cut();
          if (broken === 'finish') own.finishStreams();
        }
        own.end('t1', { cause: 'exit', exitCode: 0 });
        expect(await ended).toBe(0);
        const written = pieces.filter(({ stream }) => stream === 'stdout').map(({ bytes }) => bytes);
        expect(desk.stdout.bytes()).toEqual(Buffer.concat(written));
        await desk[Symbol.asyncDispose]();
        await own[Symbol.asyncDispose]();
      }),
      { numRuns: 15 },
    );
  });

  it('waits for a Host that goes away and goes on where it was', async () => {
    const { ended } = await running('--', 'true');
    host.write('t1', 'stdout', 'before\n');
    await terminal.stdout.shows(/before/);
    await host.stop();
    await terminal.stderr.shows(/cannot be reached.*trying again/);
    host.write('t1', 'stdout', 'after\n');
    host.end('t1', { cause: 'exit', exitCode: 7 });
    await host.restart();
    expect(await ended).toBe(7);
    expect(terminal.stdout.text()).toBe('before\nafter\n');
  });

  it('submits once when the connection breaks before the answer', async () => {
    let broken = false;
    host.intercept((request) => {
      if (broken || request.method !== 'POST') return false;
      broken = true;
      host.cut();
      return true;
    });
    expect(await begin('--detach', '--', 'true')).toBe(0);
    expect(terminal.stdout.text()).toBe('t1\n');
    const keys = host.requests.map(({ headers }) => headers['idempotency-key']);
    expect(keys).toHaveLength(2);
    expect(keys[0]).toBe(keys[1]);
  });

  it('follows the output of the next attempt too when the task is requeued', async () => {
    const { ended } = await running('--', 'true');
    host.write('t1', 'stdout', 'first\n');
    host.move('t1', 'queued', { attempt: 1 });
    host.move('t1', 'running', { attempt: 2 });
    await host.asked(/logs.*attempt=2/);
    host.write('t1', 'stdout', 'second\n');
    host.end('t1', { cause: 'exit', exitCode: 0 });
    expect(await ended).toBe(0);
    expect(terminal.stdout.text()).toBe('first\nsecond\n');
  });

  it('keeps to the end without the output when it is not to follow', async () => {
    const ended = begin('--no-follow', '--', 'true');
    await host.asked(/^GET .*\/events/);
    host.move('t1', 'running');
    host.write('t1', 'stdout', 'unseen\n');
    host.end('t1', { cause: 'exit', exitCode: 4 });
    expect(await ended).toBe(4);
    expect(terminal.stdout.text()).toBe('');
  });

  it('polls where the events are refused', async () => {
    host.intercept((request, response) => {
      if (!request.url?.includes('/events')) return false;
      response.writeHead(403, { 'content-type': 'application/problem+json' }).end('{}');
      return true;
    });
    const { ended } = await running('--', 'true');
    host.end('t1', { cause: 'exit', exitCode: 6 });
    expect(await ended).toBe(6);
  });

  it('keeps the code of the task when its log cannot be had, and says so', async () => {
    host.intercept((request, response) => {
      if (!request.url?.includes('/logs')) return false;
      response.writeHead(410, { 'content-type': 'application/problem+json' });
      response.end(
        JSON.stringify({
          type: 'x',
          title: 'x',
          status: 410,
          code: 'gone',
          detail: 'the log is gone',
          requestId: 'r',
        }),
      );
      return true;
    });
    const { ended } = await running('--', 'true');
    await terminal.stderr.shows(/the log is gone \(gone\)/);
    host.end('t1', { cause: 'exit', exitCode: 9 });
    expect(await ended).toBe(9);
  });
});

describe('Ctrl-C in weir run', () => {
  it('leaves the task running and says how to follow it again', { timeout: 10_000 }, async () => {
    const { ended } = await running('--', 'sleep', '60');
    terminal.pressCtrlC();
    expect(await ended).toBe(130);
    expect(terminal.stderr.text()).toContain('weir task logs -f t1');
    expect(host.tasks()[0]?.state).toBe('running');
    expect(host.requests.some(({ url }) => url.includes('/kill'))).toBe(false);
  });

  it('kills the task when pressed twice, and tells its end', async () => {
    const { ended } = await running('--', 'sleep', '60');
    terminal.pressCtrlC();
    terminal.pressCtrlC();
    expect(await ended).toBe(143);
    expect(host.tasks()[0]?.state).toBe('killed');
  });
});

describe('weir run without a reader', () => {
  it('ends quietly, and not as if the task had succeeded', async () => {
    const { ended } = await running('--', 'yes');
    terminal.hangUp();
    expect(await ended).toBe(141);
    expect(terminal.stderr.text()).not.toMatch(/nobody reads/);
  });
});
