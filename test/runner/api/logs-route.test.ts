import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { serveRunnerApi, type RunnerApiServer } from '../../../src/runner/api/serve-runner-api.ts';
import { never, ref } from '../logs/support.ts';
import { type ApiBench, createApiBench, logsPath } from './support.ts';

let bench: ApiBench;
beforeEach(async () => {
  bench = await createApiBench();
});
afterEach(() => bench[Symbol.asyncDispose]());

async function finished(...pieces: [string, ('stdout' | 'stderr')?][]): Promise<void> {
  for (const [text, stream] of pieces) bench.backend.say(text, stream);
  bench.backend.end();
  await bench.keeper.complete(ref(1), never);
}

const get = async (search = '', init: RequestInit = {}): Promise<Response> =>
  bench.get(`${logsPath}${search}`, await bench.token(), init);

describe('GET logs', () => {
  it('gives plain text that no browser runs, and where to go on', async () => {
    await finished(['one\n'], ['<script>\n', 'stderr']);
    const response = await get();
    expect(await response.text()).toBe('one\n<script>\n');
    expect(Object.fromEntries(response.headers)).toEqual({
      'content-type': 'text/plain; charset=utf-8',
      'content-security-policy': 'sandbox',
      'x-content-type-options': 'nosniff',
      'cache-control': 'no-store',
      'weir-next-offset': '13',
    });
  });

  it('gives the next part when asked with the offset it gave', async () => {
    bench.backend.say('one\n');
    bench.keeper.follow(ref(1));
    for await (const _ of bench.keeper.read(ref(1), { follow: 'yes' }, never)) break;
    const first = await get();
    expect(await first.text()).toBe('one\n');
    await finished(['two\n']);
    expect(await (await get(`?since=${first.headers.get('weir-next-offset')}`)).text()).toBe('two\n');
  });

  it('gives records as NDJSON, with base64 for what is not text', async () => {
    await finished(['ün\n'], ['err\n', 'stderr']);
    const response = await get('', { headers: { Accept: 'application/x-ndjson' } });
    expect(response.headers.get('content-type')).toBe('application/x-ndjson');
    const lines = (await response.text())
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(lines).toEqual([
      { at: '2023-11-14T22:13:20.000000Z', stream: 'stdout', offset: 0, text: 'ün\n' },
      { at: '2023-11-14T22:13:20.000001Z', stream: 'stderr', offset: 4, text: 'err\n' },
    ]);
    const torn = await get('?since=1', { headers: { Accept: 'application/x-ndjson' } });
    expect(JSON.parse((await torn.text()).split('\n')[0] ?? '')).toMatchObject({ offset: 1, base64: 'vG4K' });
  });

  it('picks by stream, tail and time', async () => {
    await finished(['a\n'], ['b\n', 'stderr'], ['c\n']);
    expect(await (await get('?stream=stderr')).text()).toBe('b\n');
    expect(await (await get('?tail=2')).text()).toBe('b\nc\n');
    expect(await (await get('?since_time=2023-11-14T22:13:20.000002Z')).text()).toBe('c\n');
  });

  it.each([
    ['?since=-1', 'invalid_field', 422],
    ['?since=1e3', 'invalid_field', 422],
    ['?tail=many', 'invalid_field', 422],
    ['?stream=stdin', 'invalid_field', 422],
    ['?since_time=yesterday', 'invalid_field', 422],
    ['?follow=perhaps', 'invalid_field', 422],
    ['?lines=3', 'unknown_field', 400],
  ])('refuses %s and names the field', async (search, code, status) => {
    await finished(['a\n']);
    const response = await get(search);
    const problem = await response.json();
    expect([response.status, problem.code]).toEqual([status, code]);
    expect(problem.errors[0].pointer).toBe(`/${/\w+/.exec(search)?.[0]}`);
  });

  it('says 404 when the node has no such log', async () => {
    expect((await get()).status).toBe(404);
  });

  it('leaves no reader behind a HEAD', async () => {
    await finished(['a\n']);
    const response = await get('', { method: 'HEAD' });
    expect([response.status, response.headers.get('weir-next-offset')]).toEqual([200, '2']);
  });
});

describe('the server', () => {
  let server: RunnerApiServer;
  beforeEach(async () => {
    server = await serveRunnerApi({ api: bench.api, listen: { address: '127.0.0.1', port: 0 }, tls: null });
  });
  afterEach(() => server[Symbol.asyncDispose]());

  const open = async (search: string, signal?: AbortSignal): Promise<Response> =>
    fetch(`http://127.0.0.1:${server.port}${logsPath}${search}`, {
      headers: { Authorization: `Bearer ${await bench.token()}` },
      ...(signal ? { signal } : {}),
    });

  it('answers a follower at once, before there is output, and sends each line as it comes', async () => {
    bench.keeper.follow(ref(1));
    await bench.keeper.extent(ref(1));
    const response = await open('?follow=true');
    expect(response.status).toBe(200);
    const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
    for (const line of ['one\n', 'two\n', 'three\n']) {
      bench.backend.say(line);
      expect((await reader?.read())?.value).toBe(line);
    }
    bench.backend.end();
    expect((await reader?.read())?.done).toBe(true);
  });

  it('ends the reading when the client goes away', async () => {
    bench.keeper.follow(ref(1));
    const { read } = bench.keeper;
    const ended = new Promise<void>((resolve) => {
      bench.keeper.read = async function* (...args) {
        try {
          yield* read(...args);
        } finally {
          resolve();
        }
      };
    });
    const client = new AbortController();
    bench.backend.say('one\n');
    const response = await open('?follow=true', client.signal);
    await response.body?.getReader().read();
    client.abort();
    await expect(ended).resolves.toBeUndefined();
  });

  it('reads no further than a slow client does', async () => {
    const block = 'z'.repeat(1 << 20);
    await finished(...Array.from({ length: 64 }, (): [string] => [block]));
    const { read } = bench.keeper;
    let taken = 0;
    bench.keeper.read = async function* (...args) {
      for await (const batch of read(...args)) {
        taken += batch.reduce((sum, { bytes }) => sum + bytes.length, 0);
        yield batch;
      }
    };
    const response = await open('');
    const reader = response.body?.getReader();
    await reader?.read();
    let before = -1;
    while (before !== taken) {
      before = taken;
      await (await fetch(`http://127.0.0.1:${server.port}/healthz`)).text();
    }
    expect(taken).toBeLessThan(32 << 20);
    await reader?.cancel();
  });

  it('ends open streams when it is closed', async () => {
    bench.keeper.follow(ref(1));
    bench.backend.say('one\n');
    const reader = (await open('?follow=true')).body?.pipeThrough(new TextDecoderStream()).getReader();
    expect((await reader?.read())?.value).toBe('one\n');
    await server[Symbol.asyncDispose]();
    expect((await reader?.read())?.done).toBe(true);
  });
});
