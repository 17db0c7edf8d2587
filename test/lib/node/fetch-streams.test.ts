import { randomBytes } from 'node:crypto';
import { createServer } from 'node:net';
import { describe, expect, it } from 'vitest';
import { deferred } from './deferred.ts';
import { client, listening, start } from './sockets.ts';

describe('bodies', () => {
  it('stream both ways at once', async () => {
    const { origin } = await start({ fetch: (request) => new Response(request.body) });
    const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
    const writer = writable.getWriter();
    const calling = client()(origin, { method: 'POST', body: readable });
    await writer.write(Buffer.from('one'));
    const reader = (await calling).body?.pipeThrough(new TextDecoderStream()).getReader();
    expect((await reader?.read())?.value).toBe('one');
    await writer.write(Buffer.from('two'));
    expect((await reader?.read())?.value).toBe('two');
    await writer.close();
    expect((await reader?.read())?.done).toBe(true);
  });

  it('arrive unchanged at any size, known length or not', async () => {
    const { origin } = await start({
      fetch: async (request) => {
        const body = await request.arrayBuffer();
        return new Response(body, {
          headers: { 'x-length': request.headers.get('content-length') ?? 'chunked' },
        });
      },
    });
    const fetch = client();
    for (const size of [0, 1, 65_536, 5_000_000]) {
      const bytes = randomBytes(size);
      const whole = await fetch(origin, { method: 'PUT', body: bytes });
      expect(whole.headers.get('x-length')).toBe(String(size));
      expect(Buffer.from(await whole.arrayBuffer()).equals(bytes)).toBe(true);
      const streamed = await fetch(origin, { method: 'PUT', body: new Blob([bytes]).stream() });
      expect(streamed.headers.get('x-length')).toBe('chunked');
      expect(Buffer.from(await streamed.arrayBuffer()).equals(bytes)).toBe(true);
    }
  });

  it('hold a sender back when nobody reads', async () => {
    const { origin } = await start({ fetch: () => new Promise(() => {}) });
    let pulled = 0;
    let cancelled = false;
    const source = new ReadableStream<Uint8Array>({
      pull: (controller) => controller.enqueue(new Uint8Array((pulled += 65_536) && 65_536)),
      cancel: () => void (cancelled = true),
    });
    const abort = new AbortController();
    const call = client()(origin, { method: 'POST', body: source, signal: abort.signal });
    let last = -1;
    while (last !== pulled) {
      last = pulled;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    expect(pulled).toBeLessThan(64 * 1024 * 1024);
    abort.abort();
    await expect(call).rejects.toBe(abort.signal.reason);
    await expect.poll(() => cancelled).toBe(true);
  });

  it('are framed for every method, so that the next request of the connection is its own', async () => {
    const ports = new Set<number | undefined>();
    const { origin } = await start({
      fetch: async (request, env) => {
        ports.add(env.incoming.socket.remotePort);
        return new Response(`${request.method} ${await request.text()}`);
      },
    });
    const fetch = client();
    for (const method of ['DELETE', 'POST', 'OPTIONS', 'PATCH', 'DELETE']) {
      expect(await (await fetch(origin, { method, body: 'GET /x' })).text()).toBe(`${method} GET /x`);
    }
    expect(await (await fetch(origin, { method: 'DELETE', body: new Blob(['b']).stream() })).text()).toBe('DELETE b');
    expect(await (await fetch(origin)).text()).toBe('GET ');
    expect(ports.size).toBe(1);
  });

  it('that end early are errors, not short answers', async () => {
    const { origin } = await start({
      fetch: (_request, env) => {
        const body = new ReadableStream({
          start: (controller) => controller.enqueue(Buffer.from('half')),
          pull: () => new Promise((resolve) => setTimeout(() => resolve(void env.incoming.socket.destroy()), 10)),
        });
        return new Response(body);
      },
    });
    const answer = await client()(origin);
    await expect(answer.text()).rejects.toMatchObject({ code: 'ECONNRESET' });
  });

  it('that fail at their source fail the call', async () => {
    const { origin } = await start({
      fetch: async (request) => new Response(await request.text()),
    });
    const source = new ReadableStream({
      pull: (controller) => controller.error(new Error('disk gone')),
    });
    await expect(client()(origin, { method: 'POST', body: source })).rejects.toMatchObject({
      cause: { message: 'disk gone' },
    });
  });

  it('need not be sent to the end to get an answer', async () => {
    const { origin } = await start({
      fetch: () => new Response('too large', { status: 413, headers: { connection: 'close' } }),
    });
    const endless = new ReadableStream<Uint8Array>({
      pull: (controller) => controller.enqueue(new Uint8Array(65_536)),
    });
    const answer = await client()(origin, { method: 'POST', body: endless });
    expect(answer.status).toBe(413);
  });
});

describe('an abort', () => {
  it('before the call sends nothing', async () => {
    let asked = false;
    const { origin } = await start({ fetch: () => new Response(String((asked = true))) });
    const reason = new Error('not now');
    await expect(client()(origin, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    await expect(client()(new Request(origin, { signal: AbortSignal.abort(reason) }))).rejects.toBe(reason);
    expect(asked).toBe(false);
  });

  it('while connecting ends the call at once', async () => {
    const port = await listening(createServer());
    const abort = new AbortController();
    const call = client()(`https://127.0.0.1:${port}/`, { signal: abort.signal });
    abort.abort();
    await expect(call).rejects.toBe(abort.signal.reason);
  });

  it('while the call is held reaches the server', async () => {
    const { promise: gone, resolve: leave } = deferred();
    const { promise: here, resolve: arrive } = deferred();
    const { origin } = await start({
      fetch: (request) => {
        request.signal.addEventListener('abort', () => leave());
        arrive();
        return new Promise(() => {});
      },
    });
    const abort = new AbortController();
    const call = client()(origin, { signal: abort.signal });
    await here;
    abort.abort(new Error('enough'));
    await expect(call).rejects.toThrow('enough');
    await gone;
  });

  it('in the middle of an endless answer ends it with the reason, and its source', async () => {
    let cancelled = false;
    const { origin } = await start({
      fetch: () => {
        const events = new ReadableStream({
          start: (controller) => controller.enqueue(Buffer.from('id: 1\n\n')),
          cancel: () => void (cancelled = true),
        });
        return new Response(events, { headers: { 'content-type': 'text/event-stream' } });
      },
    });
    const abort = new AbortController();
    const reader = (await client()(origin, { signal: abort.signal })).body?.getReader();
    expect(Buffer.from((await reader?.read())?.value ?? []).toString()).toBe('id: 1\n\n');
    abort.abort(new Error('enough'));
    await expect(reader?.read()).rejects.toThrow('enough');
    await expect.poll(() => cancelled).toBe(true);
  });

  it('of a reader that cancels ends the source', async () => {
    let cancelled = false;
    const { origin } = await start({
      fetch: () =>
        new Response(
          new ReadableStream({
            start: (controller) => controller.enqueue(Buffer.from('x')),
            cancel: () => void (cancelled = true),
          }),
        ),
    });
    const answer = await client()(origin);
    await answer.body?.cancel();
    await expect.poll(() => cancelled).toBe(true);
  });
});
