import { once } from 'node:events';
import { request as httpRequest } from 'node:http';
import { describe, expect, it } from 'vitest';
import { deferred } from './deferred.ts';
import { client, dial, get, start, upgrade } from './sockets.ts';

const endless = (): Response =>
  new Response(new ReadableStream({ start: (controller) => controller.enqueue(Buffer.from('data: 1\n\n')) }));

describe('close', () => {
  it('ends connections without a request at once, used before or not', async () => {
    const server = await start({ tls: null, fetch: () => new Response('ok') });
    const [used, unused] = [await dial(server.port, get), await dial(server.port)];
    await expect.poll(used.heard).toContain('200 OK');
    await server.close(60_000);
    expect(await Promise.all([used.ended, unused.ended])).toEqual([false, false]);
  });

  it('lets a request end, takes no new one, and then ends its connection', async () => {
    const [arrived, release] = [deferred(), deferred()];
    const server = await start({
      tls: null,
      fetch: async () => {
        arrived.resolve();
        await release.promise;
        return new Response('done');
      },
    });
    const busy = await dial(server.port, get);
    await arrived.promise;
    const closing = server.close(60_000);
    await expect(client({})(server.origin)).rejects.toMatchObject({
      cause: { code: 'ECONNREFUSED' },
    });
    release.resolve();
    await closing;
    await busy.ended;
    expect(busy.heard()).toContain('done');
  });

  it('sends all of a large answer that was under way', async () => {
    const size = 20_000_000;
    const server = await start({ tls: null, fetch: () => new Response(new Uint8Array(size)) });
    const answer = await client({})(server.origin);
    const closing = server.close(60_000);
    expect((await answer.arrayBuffer()).byteLength).toBe(size);
    await closing;
  });

  it('cuts an endless stream when the grace is over, and tells its handler', async () => {
    const told = deferred();
    const server = await start({
      tls: null,
      fetch: (request) => {
        request.signal.addEventListener('abort', told.resolve);
        return endless();
      },
    });
    const reader = (await client({})(server.origin)).body?.getReader();
    expect((await reader?.read())?.done).toBe(false);
    const rest = reader?.read().catch((error: unknown) => error);
    await server.close(20);
    expect(await rest).toMatchObject({ code: 'ECONNRESET' });
    await told.promise;
  });

  it('waits no longer than for a stream that its handler ends', async () => {
    const stop = new AbortController();
    const server = await start({
      tls: null,
      fetch: () =>
        new Response(
          new ReadableStream({
            start(controller) {
              controller.enqueue(Buffer.from('data: 1\n\n'));
              stop.signal.addEventListener('abort', () => controller.close());
            },
          }),
        ),
    });
    const answer = await client({})(server.origin);
    const closing = server.close(60_000);
    stop.abort();
    expect(await answer.text()).toBe('data: 1\n\n');
    await closing;
  });

  it('works over TLS too, and a second time', async () => {
    const server = await start({ fetch: () => new Response('ok') });
    const fetch = client();
    expect(await (await fetch(`https://127.0.0.1:${server.port}`)).text()).toBe('ok');
    const handshaking = await dial(server.port);
    await Promise.all([server.close(50), server.close(50)]);
    expect(await handshaking.ended).toBe(false);
  });

  it('cuts a handler that does not answer', async () => {
    const arrived = deferred();
    const server = await start({
      tls: null,
      fetch: () => {
        arrived.resolve();
        return new Promise(() => {});
      },
    });
    const request = httpRequest(server.origin);
    const failed = once(request, 'error');
    request.end();
    await arrived.promise;
    await server.close(0);
    expect(await failed).toMatchObject([{ code: 'ECONNRESET' }]);
  });

  it('cuts upgraded connections when the grace is over', async () => {
    const server = await start({
      tls: null,
      fetch: () => new Response(),
      onUpgrade: (_request, socket) => void socket.write('hello'),
    });
    const client = await dial(server.port, upgrade);
    await expect.poll(client.heard).toBe('hello');
    await server.close(20);
    expect(await client.ended).toBe(false);
  });
});
