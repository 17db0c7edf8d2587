import { stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
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

const submit = (...argv: string[]): Promise<number> => terminal.weir('task', 'submit', '--image', 'i', ...argv);

describe('weir task submit', () => {
  it('shows the task in the form that is asked for', async () => {
    expect(await submit('--name', 'hello', '--', 'true')).toBe(0);
    expect(terminal.stdout.text()).toMatch(/^ID {2}NAME {3}STATE .*\nt1 {2}hello {2}queued .*waits for 1 core\n$/);
    expect(await submit('-o', 'name', '--', 'true')).toBe(0);
    expect(terminal.stdout.text()).toMatch(/\nt2\n$/);
  });

  it('sends a file, an array of specs as a batch, and what comes by stdin', async () => {
    const file = join(terminal.folder, 'specs.json');
    await writeFile(file, JSON.stringify([{ image: 'a' }, { image: 'b' }]));
    expect(await terminal.weir('task', 'submit', '-f', file, '-o', 'name')).toBe(0);
    expect(terminal.stdout.text()).toBe('t1\nt2\n');
    const piped = await openTerminal({
      env: { ...terminal.cli.env } as Record<string, string>,
      stdin: '{"image": "c"}',
    });
    expect(await piped.weir('task', 'submit', '-f', '-', '-o', 'json')).toBe(0);
    expect(JSON.parse(piped.stdout.text())).toMatchObject({ id: 't3', spec: { image: 'c' } });
    expect(await terminal.weir('task', 'submit', '-f', join(terminal.folder, 'none'))).toBe(2);
    await piped[Symbol.asyncDispose]();
  });
});

describe('weir task show', () => {
  it('answers the same in JSON and YAML', async () => {
    await submit('--', 'true');
    const [json, yaml] = [await openTerminal({ env: terminal.cli.env as Record<string, string> }), terminal];
    expect(await json.weir('task', 'show', 't1', '-o', 'json')).toBe(0);
    const before = yaml.stdout.text().length;
    expect(await yaml.weir('task', 'show', 't1', '-o', 'yaml')).toBe(0);
    expect(parse(yaml.stdout.text().slice(before))).toEqual(JSON.parse(json.stdout.text()));
    await json[Symbol.asyncDispose]();
  });
});

describe('weir task wait', () => {
  it('ends with 0 when all succeeded and 1 when one did not', async () => {
    await submit('--', 'true');
    await submit('--', 'false');
    const waiting = terminal.weir('task', 'wait', 't1', 't2', '-o', 'name');
    await host.asked(/t2\/wait/);
    host.end('t1', { cause: 'exit', exitCode: 0 });
    host.end('t2', { cause: 'exit', exitCode: 1 });
    expect(await waiting).toBe(1);
    expect(await terminal.weir('task', 'wait', 't1')).toBe(0);
  });

  it('ends with 124 and the task as it is when the time is over', async () => {
    await submit('--', 'true');
    expect(await terminal.weir('task', 'wait', '--timeout', '50ms', 't1', '-o', 'json')).toBe(124);
    expect(terminal.stdout.text()).toContain('"state": "queued"');
  });

  it('waits through an absence of the Host', { timeout: 10_000 }, async () => {
    await submit('--', 'true');
    const waiting = terminal.weir('task', 'wait', 't1');
    await host.asked(/t1\/wait/);
    await host.stop();
    host.end('t1', { cause: 'exit', exitCode: 0 });
    await host.restart();
    expect(await waiting).toBe(0);
  });

  it('tells which one it does not find', async () => {
    expect(await terminal.weir('task', 'wait', 'nobody')).toBe(3);
    expect(terminal.stderr.text()).toContain('there is no task "nobody"');
  });
});

describe('weir task logs', () => {
  it('prints the streams apart and raw, escapes too', async () => {
    await submit('--', 'true');
    host.move('t1', 'running');
    host.write('t1', 'stdout', '\u001b[31mred');
    host.write('t1', 'stderr', new Uint8Array([0xff, 0x00]));
    host.write('t1', 'weir', '[weir: cut]\n');
    const log = await openTerminal({ env: terminal.cli.env as Record<string, string> });
    expect(await log.weir('task', 'logs', 't1', '--attempt', '1')).toBe(0);
    expect(log.stdout.text()).toBe('\u001b[31mred');
    expect(log.stderr.bytes()).toEqual(Buffer.from([0xff, 0x00, ...Buffer.from('[weir: cut]\n')]));
    expect(host.requests.at(-1)?.url).toContain('attempt=1');
    await log[Symbol.asyncDispose]();
  });

  it('follows to the end of a task that still waits when it is called', async () => {
    await submit('--', 'true');
    const log = await openTerminal({ env: terminal.cli.env as Record<string, string> });
    const following = log.weir('task', 'logs', '-f', 't1');
    await host.asked(/events/);
    host.move('t1', 'running');
    host.write('t1', 'stdout', 'output');
    host.end('t1', { cause: 'exit', exitCode: 1 });
    expect(await following).toBe(0);
    expect(log.stdout.text()).toBe('output');
    await log[Symbol.asyncDispose]();
  });
});

describe('weir events', () => {
  it('goes on behind the last one when the Host comes back', { timeout: 10_000 }, async () => {
    const watching = terminal.weir('events', '-o', 'json');
    await host.asked(/events/);
    const desk = await openTerminal({ env: terminal.cli.env as Record<string, string> });
    await desk.weir('task', 'submit', '--image', 'i');
    await terminal.stdout.shows(/task\.queued/);
    await host.stop();
    host.move('t1', 'running');
    await host.restart();
    await terminal.stdout.shows(/task\.running/);
    terminal.hangUp();
    expect(await watching).toBe(0);
    const seqs = terminal.stdout
      .text()
      .trim()
      .split('\n')
      .map((line) => (JSON.parse(line) as { seq: number }).seq);
    expect(seqs).toEqual([1, 2]);
    await desk[Symbol.asyncDispose]();
  });
});

describe('weir login', () => {
  it('checks the token, saves it for its owner alone, and uses it from then on', async () => {
    const desk = await openTerminal({ stdin: `${host.token}\n` });
    expect(await desk.weir('login', '--url', `${host.url}/`, '--name', 'lab')).toBe(0);
    expect(desk.stderr.text()).toContain('as ann');
    expect(desk.stderr.text()).not.toContain(host.token);
    expect((await stat(join(desk.cli.folders.config, 'contexts.json'))).mode & 0o777).toBe(0o600);
    expect(await desk.weir('task', 'list')).toBe(0);
    await desk[Symbol.asyncDispose]();
  });

  it('saves nothing when the token is refused', async () => {
    const desk = await openTerminal({ stdin: 'wrong' });
    expect(await desk.weir('login', '--url', host.url)).toBe(4);
    expect(await desk.weir('task', 'list')).toBe(2);
    await desk[Symbol.asyncDispose]();
  });

  it('sends no token without TLS to another machine unless told to', async () => {
    const desk = await openTerminal({ stdin: 'token' });
    expect(await desk.weir('login', '--url', 'http://192.0.2.1:8000')).toBe(2);
    expect(desk.stderr.text()).toContain('--insecure-http');
    await desk[Symbol.asyncDispose]();
  });
});
