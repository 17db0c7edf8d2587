import { describe, expect, it } from 'vitest';
import { expectLongBody } from '../../../src/lib/node/long-body.ts';
import { remoteAddressOf, serve } from '../../../src/lib/node/server.ts';
import { deferred } from './deferred.ts';
import { client, dial, get, start, upgrade } from './sockets.ts';

describe('the server', () => {
  it('tells handlers whose request it is', async () => {
    const { origin } = await start({
      tls: null,
      fetch: (_request, env) => new Response(remoteAddressOf(env.incoming)),
    });
    expect(await (await client({})(origin)).text()).toBe('127.0.0.1');
  });

  it('names address and port when they are taken', async () => {
    const { port } = await start({ tls: null, fetch: () => new Response() });
    const again = serve({
      fetch: () => new Response(),
      tls: null,
      listen: { address: '127.0.0.1', port },
    });
    await expect(again).rejects.toMatchObject({
      message: expect.stringContaining(`cannot listen on 127.0.0.1:${port}`),
      cause: { code: 'EADDRINUSE' },
    });
  });

  it('speaks nothing but TLS when it has a key', async () => {
    const server = await start({ fetch: () => new Response('ok') });
    expect(await (await client()(`https://127.0.0.1:${server.port}`)).text()).toBe('ok');
    const plain = await dial(server.port, get);
    await plain.ended;
    expect(plain.heard()).not.toContain('HTTP/1.1 200');
  });
});

describe('limits', () => {
  it('end a header that does not come to its end', async () => {
    const { port } = await start({
      tls: null,
      fetch: () => new Response(),
      limits: { headersMs: 50 },
    });
    const slow = await dial(port, 'GET / HTTP/1.1\r\nHost: a\r\nX-');
    await slow.ended;
    expect(slow.heard()).toMatch(/^HTTP\/1.1 408/);
  });

  it('end a connection that says nothing', async () => {
    const { port } = await start({
      tls: null,
      fetch: () => new Response(),
      limits: { headersMs: 50 },
    });
    const silent = await dial(port);
    await silent.ended;
    expect(silent.heard()).toMatch(/^HTTP\/1.1 408/);
  });

  it('refuse a header of more than 16 kB', async () => {
    let asked = false;
    const { port } = await start({ tls: null, fetch: () => new Response(String((asked = true))) });
    const big = await dial(port, `GET / HTTP/1.1\r\nHost: a\r\nX: ${'x'.repeat(17_000)}\r\n\r\n`);
    await big.ended;
    expect(big.heard()).toMatch(/^HTTP\/1.1 431/);
    expect(asked).toBe(false);
  });

  it('end a body that does not come to its end, and leave what is held alone', async () => {
    const release = deferred();
    const { origin, port } = await start({
      tls: null,
      fetch: async (request) => {
        await request.text();
        await release.promise;
        return new Response('held');
      },
      limits: { requestMs: 50 },
    });
    const held = client({})(origin, { method: 'POST', body: 'all there' });
    const slow = await dial(port, 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhalf');
    await slow.ended;
    expect(slow.heard()).toMatch(/^HTTP\/1.1 408/);
    release.resolve();
    expect(await (await held).text()).toBe('held');
  });

  it('are lifted for an upload once its handler says so', async () => {
    const { port } = await start({
      tls: null,
      fetch: async (request, env) => {
        if (request.url.endsWith('/long')) expectLongBody(env.incoming);
        return new Response(await request.text());
      },
      limits: { requestMs: 50 },
    });
    const head = (path: string): string => `POST ${path} HTTP/1.1\r\nHost: a\r\nContent-Length: 8\r\n\r\nhalf`;
    const long = await dial(port, head('/long'));
    const short = await dial(port, head('/short'));
    await short.ended;
    long.socket.write('half');
    await expect.poll(long.heard).toContain('halfhalf');
  });

  it('cut connections of one address beyond their number, and count those that are gone', async () => {
    const { port } = await start({
      tls: null,
      fetch: () => new Response('ok'),
      limits: { connectionsPerAddress: 2 },
    });
    const [first] = [await dial(port, get), await dial(port, get)];
    await expect.poll(first?.heard ?? String).toContain('200 OK');
    const third = await dial(port, get);
    await third.ended;
    expect(third.heard()).toBe('');
    first?.socket.destroy();
    await expect
      .poll(async () => {
        const next = await dial(port, get.replace('\r\n\r\n', '\r\nConnection: close\r\n\r\n'));
        await next.ended;
        return next.heard();
      })
      .toContain('200 OK');
  });
});

describe('upgrades', () => {
  it('go to their own handler with what was sent along, and not to fetch', async () => {
    let asked = false;
    const { port } = await start({
      tls: null,
      fetch: () => new Response(String((asked = true))),
      onUpgrade: (request, socket, head) => {
        socket.write(`HTTP/1.1 101 Switching Protocols\r\nUpgrade: weir\r\n\r\n${request.url} ${head.toString()}`);
        socket.pipe(socket);
      },
    });
    const client = await dial(port, upgrade);
    await expect.poll(client.heard).toMatch(/^HTTP\/1.1 101[^]*\/relay early$/);
    client.socket.write(' echo');
    await expect.poll(client.heard).toMatch(/early echo$/);
    expect(asked).toBe(false);
  });

  it('are plain requests where nobody handles them', async () => {
    const { port } = await start({ tls: null, fetch: () => new Response('plain') });
    const client = await dial(port, upgrade.replace('early', ''));
    await expect.poll(client.heard).toMatch(/^HTTP\/1.1 200[^]*plain/);
  });

  it('that are reset do no harm to the others', async () => {
    const gone = deferred();
    const { port } = await start({
      tls: null,
      fetch: () => new Response('alive'),
      onUpgrade: (_request, socket) => void socket.on('close', gone.resolve).write('hello'),
    });
    const client = await dial(port, upgrade);
    await expect.poll(client.heard).toBe('hello');
    client.socket.resetAndDestroy();
    await gone.promise;
    const next = await dial(port, get);
    await expect.poll(next.heard).toContain('alive');
  });
});
