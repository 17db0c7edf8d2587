import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { errorLines } from '../../src/cli/cli-error.ts';
import { unreachable } from '../../src/cli/client/network-error.ts';
import { exitCodeOfStatus } from '../../src/cli/exit-codes.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { ProblemError, type ProblemCode, problemStatus } from '../../src/protocol/problem.ts';
import { openTerminal, type Terminal } from './cli-harness.ts';

type ProblemDetails = ConstructorParameters<typeof ProblemError>[2];

let server: Server;
let answer: (path: string) => { status: number; body: string } | null;
let terminal: Terminal;

beforeEach(async () => {
  answer = () => null;
  server = createServer((request, response) => {
    const given = answer(request.url ?? '');
    if (given) response.writeHead(given.status).end(given.body);
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  // A Host that does not answer is given up at once instead of after half a minute.
  const clock = {
    ...systemClock,
    sleep: (ms: number, signal?: AbortSignal) => systemClock.sleep(ms === 30_000 ? 50 : ms, signal),
  };
  terminal = await openTerminal({ env: { WEIR_URL: url, WEIR_TOKEN: 'secret' }, parts: { clock } });
});

afterEach(async () => {
  await terminal[Symbol.asyncDispose]();
  server.closeAllConnections();
  await new Promise((done) => server.close(done));
});

const refuse = (code: ProblemCode, detail: string, details: ProblemDetails = {}): void => {
  const error = new ProblemError(code, detail, details);
  answer = () => ({ status: error.status, body: JSON.stringify(error.toProblem('r7')) });
};

describe('what the Host refuses', () => {
  it('is one line with the code and what would change it, and a line for each faulty field', async () => {
    refuse('invalid_field', 'field /image: is missing', {
      fix: 'give an image',
      errors: [{ pointer: '/image', message: 'is missing' }],
    });
    expect(await terminal.weir('task', 'show', 'x')).toBe(4);
    expect(terminal.stderr.text()).toBe(
      'weir: field /image: is missing (invalid_field); give an image\n  /image: is missing\n',
    );
  });

  it('decides the exit code by its status', async () => {
    refuse('not_found', 'there is no task "x"');
    expect(await terminal.weir('task', 'show', 'x')).toBe(3);
    refuse('state_conflict', 'several tasks begin with "t"');
    expect(await terminal.weir('task', 'kill', 't')).toBe(4);
    refuse('internal', 'something went wrong');
    expect(await terminal.weir('status')).toBe(1);
    expect(terminal.stderr.text()).toContain('[request r7]');
  });

  it('has an exit code for each code there is', () => {
    for (const status of Object.values(problemStatus)) expect([1, 3, 4]).toContain(exitCodeOfStatus(status));
  });

  it('cannot write to the terminal with escapes', async () => {
    refuse('not_found', 'no \u001b]0;title\u0007\nsecond line');
    await terminal.weir('task', 'show', 'x');
    expect(terminal.stderr.text()).toBe('weir: no \\x1b]0;title\\x07 second line (not_found)\n');
  });

  it('is told for each of several, and the first decides', async () => {
    const items = [
      { id: 'gone', state: null, problem: { code: 'not_found', detail: 'gone' } },
      { id: 't1', state: 'stopping', problem: null },
      { id: 't2', state: null, problem: { code: 'state_conflict', detail: 'ended' } },
    ];
    answer = () => ({ status: 200, body: JSON.stringify({ items }) });
    expect(await terminal.weir('task', 'kill', 'gone', 't1', 't2')).toBe(3);
    expect(terminal.stderr.text()).toBe('weir: gone (not_found)\nweir: ended (state_conflict)\n');
    expect(terminal.stdout.text()).toBe('ID  STATE\nt1  stopping\n');
  });
});

describe('what is not a Host', () => {
  it('is told by its status when it answers something else', async () => {
    answer = () => ({ status: 502, body: '<html>' });
    expect(await terminal.weir('task', 'list')).toBe(1);
    expect(terminal.stderr.text()).toMatch(/status 502.*\(http_502\)/);
  });

  it('is told when it answers other JSON', async () => {
    answer = () => ({ status: 200, body: '{"id": 7}' });
    expect(await terminal.weir('task', 'show', 'x')).toBe(1);
    expect(terminal.stderr.text()).toMatch(/not understood at \/.* \(bad_answer\)/);
  });

  it('is unreachable when it does not answer in time', async () => {
    expect(await terminal.weir('task', 'list')).toBe(5);
    expect(terminal.stderr.text()).toMatch(/did not answer within 30 s \(unreachable\)/);
  });

  it('is unreachable when nothing listens', async () => {
    const desk = await openTerminal({
      env: { WEIR_URL: 'http://127.0.0.1:1', WEIR_TOKEN: 'secret' },
    });
    expect(await desk.weir('task', 'list')).toBe(5);
    expect(desk.stderr.text()).toMatch(/127\.0\.0\.1:1 \(WEIR_URL\) cannot be reached: nothing listens there/);
    await desk[Symbol.asyncDispose]();
  });

  it('is told apart from one with the wrong key, which waiting does not cure', () => {
    const mismatch = Object.assign(new Error('h:1 is not the server that is trusted'), {
      code: 'PIN_MISMATCH',
    });
    const told = unreachable(new TypeError('fetch failed', { cause: mismatch }), {
      url: 'https://h:1',
      source: '--url',
    });
    expect(told.details).toMatchObject({ code: 'host_identity', exitCode: 5 });
    expect(told.details.passing).toBeUndefined();
  });
});

describe('an error of our own making', () => {
  it('is one line too', () => {
    expect(errorLines(new Error('a\nb'))).toEqual(['weir: a b (internal)']);
  });
});

describe('a wrong command line', () => {
  const wrong: [string[], RegExp][] = [
    [['tsak'], /unknown command 'tsak' \(usage\); did you mean task\?/],
    [['task', 'sbmit'], /did you mean submit\?/],
    [['task', 'list', '--limit', 'x'], /whole number/],
    [['task', 'list', '--state', 'done'], /no state "done".*the states are held/],
    [['task', 'list', '--nope'], /unknown option '--nope'/],
    [['task', 'show'], /missing required argument 'task'.*see `weir task show --help`/],
    [['run', '--image', 'i', '--ulimit', 'nofile', '--', 'y'], /NAME=SOFT/],
    [['run', '--image', 'i', '--mount', 'data', '--', 'y'], /NAME:PATH/],
    [['run', '--image', 'i', '--gpus', '0', '--gpu-model', 'x'], /asks for no GPU/],
    [['run', '--image', 'i', '--retry-on', 'bad-luck'], /no kind of failure "bad-luck"/],
    [['run', '--image', 'i', '--not-before', 'tomorrow'], /neither a time/],
    [['run', '--image', 'i', '--stdin', '/nonexistent/file'], /--stdin .* ENOENT/],
    [['task', 'submit', '-f', 'x.json', '--cpus', '2'], /has the whole spec/],
    [['task', 'pause'], /no task is named/],
    [['task', 'hold', 't1', '--state', 'queued'], /give one of the two/],
    [['task', 'retry', '--state', 'over'], /no state "over"/],
    [['task', 'extend', 't1'], /--time-limit/],
    [['task', 'priority', 't1', 'first'], /no priority class/],
    [['node', 'label', 'n1', 'rack'], /no change of a label/],
    [['run', '--image', 'i', '--shell', 'x', '--', 'y'], /give one of them/],
    [['run', '--image', 'i', '-e', '=x', '--', 'y'], /KEY=VALUE/],
    [['run', '--image', 'i', '-e', 'MISSING', '--', 'y'], /no such variable/],
    [['host', '--listen', 'nonsense'], /ADDRESS:PORT/],
    [['events', '--type', 'task.exploded'], /no type of event/],
    [['login'], /--url/],
    [['task'], /Usage: weir task/],
  ];
  it.each(wrong)('%j is refused with exit code 2 before anything is sent', async (argv, message) => {
    answer = () => ({ status: 200, body: 'reached' });
    expect(await terminal.weir(...argv)).toBe(2);
    expect(terminal.stderr.text()).toMatch(message);
    expect(terminal.stdout.text()).toBe('');
  });
});
