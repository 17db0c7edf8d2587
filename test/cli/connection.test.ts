import { chmod, mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type ConnectionFlags, resolveConnection } from '../../src/cli/client/connection.ts';
import { writeContexts } from '../../src/cli/client/contexts.ts';
import { CliError } from '../../src/cli/cli-error.ts';
import { openTerminal, type Terminal } from './cli-harness.ts';

let terminal: Terminal;

beforeEach(async () => {
  terminal = await openTerminal();
});

afterEach(() => terminal[Symbol.asyncDispose]());

const lab = { name: 'lab', url: 'https://lab:8000', token: 'lab-token', pin: 'lab-pin' };
const other = { name: 'other', url: 'http://other', token: 'other-token', pin: null };

const saveContexts = (current: string | null): Promise<void> =>
  writeContexts(terminal.cli.folders, { current, contexts: [lab, other] });

async function hostFolder(name: string, token: string | null = 'admin-token'): Promise<string> {
  const folder = join(terminal.folder, name);
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'endpoint.json'), JSON.stringify({ url: 'http://127.0.0.1:9', pid: 1, tlsPin: 'p' }));
  if (token !== null) await writeFile(join(folder, 'admin.token'), `${token}\n`);
  return folder;
}

const resolve = (flags: ConnectionFlags, env: Record<string, string> = {}) =>
  resolveConnection(flags, { env, folders: terminal.cli.folders });

async function refusal(flags: ConnectionFlags, env: Record<string, string> = {}): Promise<CliError> {
  const error: unknown = await resolve(flags, env).then(
    () => null,
    (thrown: unknown) => thrown,
  );
  if (error instanceof CliError) return error;
  throw new Error('it was not refused');
}

describe('the Host that is meant', () => {
  it('is that of a flag before that of a variable, a context and the data folder', async () => {
    await saveContexts('lab');
    await hostFolder('data');
    const env = { WEIR_URL: 'http://env', WEIR_TOKEN: 'env-token' };
    const data = await hostFolder('elsewhere');
    expect(await resolve({ context: 'other' }, env)).toMatchObject({
      url: 'http://other',
      token: 'other-token',
    });
    expect(await resolve({ data }, env)).toMatchObject({
      url: 'http://127.0.0.1:9',
      token: 'admin-token',
      pin: 'p',
    });
    expect(await resolve({}, env)).toMatchObject({ url: 'http://env', token: 'env-token' });
    expect(await resolve({})).toMatchObject({
      url: 'https://lab:8000',
      token: 'lab-token',
      pin: 'lab-pin',
    });
    await saveContexts(null);
    expect(await resolve({})).toMatchObject({ url: 'http://127.0.0.1:9', token: 'admin-token' });
  });

  it('takes the token from a file, without the line end', async () => {
    const tokenFile = join(terminal.folder, 'token');
    await writeFile(tokenFile, 'from-file\n');
    expect(await resolve({ url: 'http://x/', tokenFile })).toMatchObject({
      url: 'http://x',
      token: 'from-file',
    });
  });

  it('never gets the token of another one', async () => {
    await saveContexts('lab');
    const env = { WEIR_URL: 'http://env', WEIR_TOKEN: 'env-token', WEIR_TLS_PIN: 'env-pin' };
    expect((await refusal({ url: 'https://evil' }, env)).details.code).toBe('unauthenticated');
    expect(await resolve({ url: 'https://lab:8000/' }, env)).toMatchObject({
      token: 'lab-token',
      pin: 'lab-pin',
    });
    expect((await refusal({}, { WEIR_TOKEN: 'lonely' })).message).toMatch(/WEIR_URL is not/);
  });

  it('is asked for when nothing names one, with what to do', async () => {
    const error = await refusal({});
    expect(error.details).toMatchObject({
      exitCode: 2,
      fix: expect.stringContaining('weir login'),
    });
  });

  it('cannot be two', async () => {
    expect((await refusal({ url: 'http://a', context: 'lab' })).message).toMatch(/--url and --context/);
  });

  it('is told apart from a URL with a secret in it, which is not repeated', async () => {
    const error = await refusal({ url: 'http://ann:hunter2@host' });
    expect(error.message).not.toContain('hunter2');
  });

  it('has no context of a name that was never saved', async () => {
    await saveContexts(null);
    expect((await refusal({ context: 'nowhere' })).details).toMatchObject({
      exitCode: 3,
      fix: 'there are lab, other',
    });
  });

  it('needs a token in its folder', async () => {
    const data = await hostFolder('tokenless', null);
    expect((await refusal({ data })).details.code).toBe('unauthenticated');
    const broken = await hostFolder('broken', 'two\nlines');
    expect((await refusal({ data: broken })).message).not.toContain('two');
  });
});

describe('saved contexts', () => {
  it('are a file of its owner alone, whatever was there before', async () => {
    await saveContexts('lab');
    const file = join(terminal.cli.folders.config, 'contexts.json');
    await chmod(file, 0o644);
    await saveContexts('other');
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect((await stat(terminal.cli.folders.config)).mode & 0o777).toBe(0o700);
  });

  it('are listed without their tokens, used and removed', async () => {
    await saveContexts('lab');
    expect(await terminal.weir('context', 'use', 'other')).toBe(0);
    expect(await terminal.weir('context', 'list')).toBe(0);
    expect(terminal.stdout.text()).toMatch(/^\*\s+other\s+http:\/\/other/m);
    expect(await terminal.weir('context', 'list', '-o', 'json')).toBe(0);
    expect(terminal.stdout.text()).not.toContain('-token');
    expect(await terminal.weir('context', 'remove', 'other')).toBe(0);
    expect(await terminal.weir('context', 'use', 'other')).toBe(3);
  });

  it('that are not ours are not overwritten', async () => {
    await mkdir(terminal.cli.folders.config, { recursive: true });
    const file = join(terminal.cli.folders.config, 'contexts.json');
    await writeFile(file, '{"contexts": [{}]}');
    expect(await terminal.weir('context', 'use', 'lab')).toBe(1);
    expect(await readFile(file, 'utf8')).toBe('{"contexts": [{}]}');
  });
});

describe('a redirect', () => {
  it('is not followed, and the token goes nowhere else', async () => {
    const seen: (string | undefined)[] = [];
    const thief = createServer((request, response) => {
      seen.push(request.headers.authorization);
      response.end('{}');
    });
    await new Promise<void>((done) => thief.listen(0, '127.0.0.1', done));
    const { port } = thief.address() as AddressInfo;
    const host = createServer((_request, response) => {
      response.writeHead(307, { location: `http://127.0.0.1:${port}/api/v1/tasks` }).end();
    });
    await new Promise<void>((done) => host.listen(0, '127.0.0.1', done));
    const url = `http://127.0.0.1:${(host.address() as AddressInfo).port}`;
    const desk = await openTerminal({ env: { WEIR_URL: url, WEIR_TOKEN: 'secret' } });
    expect(await desk.weir('task', 'list')).toBe(4);
    expect(desk.stderr.text()).toMatch(/redirects to .* \(redirected\)/);
    expect(seen).toEqual([]);
    await desk[Symbol.asyncDispose]();
    for (const server of [thief, host]) {
      server.closeAllConnections();
      await new Promise((done) => server.close(done));
    }
  });
});
