import { createServer } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { describe, expect, it } from 'vitest';
import { PinMismatchError } from '../../../src/lib/node/pinned-connection.ts';
import { serve } from '../../../src/lib/node/server.ts';
import { deferred } from './deferred.ts';
import { client, identity, listening, start, stranger } from './sockets.ts';

/** A TLS server with its own key that writes down what a client says after the handshake. */
async function eavesdropper(port = 0): Promise<{ port: number; heard: Buffer[]; closed: Promise<void> }> {
  const server = createTlsServer({ cert: stranger.certPem, key: stranger.keyPem });
  const heard: Buffer[] = [];
  const closed = deferred();
  server.on('connection', (socket) => socket.on('close', closed.resolve));
  server.on('secureConnection', (socket) => {
    socket.on('error', () => {}).on('data', (data: Buffer) => heard.push(data));
  });
  return { port: await listening(server, port), heard, closed: closed.promise };
}

describe('a pinned fetch', () => {
  it('talks to the server whose key it knows, by whatever name and authority', async () => {
    const { origin } = await start({
      fetch: async (request) => {
        const { pathname, search } = new URL(request.url);
        return Response.json({
          method: request.method,
          path: pathname + search,
          key: request.headers.get('x-key'),
          body: await request.text(),
        });
      },
    });
    const answer = await client()(`${origin}/a?b=1`, {
      method: 'POST',
      body: 'grüße',
      headers: { 'X-Key': 'k' },
    });
    expect(answer.status).toBe(200);
    expect(await answer.json()).toEqual({
      method: 'POST',
      path: '/a?b=1',
      key: 'k',
      body: 'grüße',
    });
  });

  it('sends no byte of a request to a server with another key', async () => {
    const wrong = await eavesdropper();
    const call = client()(`https://127.0.0.1:${wrong.port}/`, {
      method: 'POST',
      body: 'secret',
      headers: { authorization: 'Bearer secret' },
    });
    const error = await call.catch((reason: unknown) => reason);
    await wrong.closed;
    expect(Buffer.concat(wrong.heard).toString()).toBe('');
    expect(error).toBeInstanceOf(PinMismatchError);
    expect(error).toMatchObject({
      code: 'PIN_MISMATCH',
      expected: identity.pin,
      seen: stranger.pin,
    });
    expect(String(error)).toContain(identity.pin);
    expect(String(error)).toContain(stranger.pin);
  });

  it('does not let a stranger have the port of a server it has talked to', async () => {
    const server = await serve({
      fetch: () => new Response('ok'),
      tls: identity,
      listen: { address: '127.0.0.1', port: 0 },
    });
    const fetch = client();
    expect(await (await fetch(`https://127.0.0.1:${server.port}`)).text()).toBe('ok');
    await server.close(0);
    const wrong = await eavesdropper(server.port);
    // The first try may still take the connection that the server has just ended.
    const again = (): Promise<unknown> => fetch(`https://127.0.0.1:${server.port}`).catch((reason: unknown) => reason);
    await expect.poll(again).toBeInstanceOf(PinMismatchError);
    await wrong.closed;
    expect(wrong.heard).toEqual([]);
  });

  it('speaks no plain HTTP', async () => {
    let asked = 0;
    const { origin } = await start({ fetch: () => new Response(String((asked += 1))), tls: null });
    await expect(client()(origin)).rejects.toThrow('has a pinned key: it is spoken to by https: only');
    expect(asked).toBe(0);
  });

  it('names the code when nobody listens', async () => {
    const taken = createServer();
    const port = await listening(taken);
    await new Promise((resolve) => taken.close(resolve));
    const error: unknown = await client()(`https://localhost:${port}/`).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(TypeError);
    expect(error).toMatchObject({
      cause: { code: 'ECONNREFUSED' },
      message: expect.stringContaining(`https://localhost:${port}`),
    });
  });

  it('gives up on a server that does not shake hands', async () => {
    const port = await listening(createServer());
    const call = client({ pin: identity.pin, connectMs: 50 })(`https://127.0.0.1:${port}/`);
    await expect(call).rejects.toMatchObject({ cause: { code: 'ETIMEDOUT' } });
  });

  it('says so when the server hangs up in the handshake', async () => {
    const port = await listening(createServer((socket) => void socket.destroy()));
    await expect(client()(`https://127.0.0.1:${port}/`)).rejects.toMatchObject({
      cause: { code: 'ECONNRESET' },
    });
  });
});

describe('a fetch without a pin', () => {
  it('speaks plain HTTP', async () => {
    const { origin } = await start({ fetch: () => new Response('plain'), tls: null });
    expect(await (await client({})(origin)).text()).toBe('plain');
  });

  it('refuses a certificate that no authority vouches for, unless it is given as one', async () => {
    const { origin } = await start({ fetch: () => new Response('ok') });
    await expect(client({ pin: null })(origin)).rejects.toMatchObject({
      cause: { code: 'DEPTH_ZERO_SELF_SIGNED_CERT' },
    });
    expect(await (await client({ caPem: identity.certPem })(origin)).text()).toBe('ok');
    await expect(client({ caPem: stranger.certPem })(origin)).rejects.toBeInstanceOf(TypeError);
  });
});

describe('answers', () => {
  it('keep status, repeated headers and emptiness', async () => {
    const { origin } = await start({
      fetch: (request) => {
        const headers = new Headers([
          ['set-cookie', 'a=1'],
          ['set-cookie', 'b=2'],
        ]);
        return request.method === 'HEAD'
          ? new Response(null, { headers: { 'content-length': '7' } })
          : new Response(null, { status: 204, headers });
      },
    });
    const fetch = client();
    const answer = await fetch(origin);
    expect(answer.status).toBe(204);
    expect(answer.body).toBeNull();
    expect(answer.headers.getSetCookie()).toEqual(['a=1', 'b=2']);
    const head = await fetch(origin, { method: 'HEAD' });
    expect([head.body, head.headers.get('content-length')]).toEqual([null, '7']);
  });

  it('that send elsewhere are handed back, not followed', async () => {
    let visited = false;
    const { origin: elsewhere } = await start({
      fetch: () => {
        visited = true;
        return new Response();
      },
    });
    const { origin } = await start({ fetch: () => Response.redirect(`${elsewhere}/`, 307) });
    const answer = await client()(origin, { headers: { authorization: 'Bearer secret' } });
    expect([answer.status, answer.headers.get('location')]).toEqual([307, `${elsewhere}/`]);
    expect(visited).toBe(false);
  });

  it('come by one connection, one after the other', async () => {
    const { origin } = await start({
      fetch: (_request, env) => new Response(String(env.incoming.socket.remotePort)),
    });
    const fetch = client();
    const ports = [];
    for (let count = 0; count < 3; count += 1) ports.push(await (await fetch(origin)).text());
    expect(new Set(ports).size).toBe(1);
  });
});
