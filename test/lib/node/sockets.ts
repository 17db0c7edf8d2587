import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect, type AddressInfo, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { createFetch, type FetchTrust, type TrustedFetch } from '../../../src/lib/node/pinned-fetch.ts';
import { serve, type RunningServer, type ServeOptions } from '../../../src/lib/node/server.ts';
import { loadTlsIdentity } from '../../../src/lib/node/tls-identity.ts';

const folder = await mkdtemp(join(tmpdir(), 'weir-test-'));
const now = Date.now();
export const identity = await loadTlsIdentity(join(folder, 'a'), { commonName: 'a', now });
export const stranger = await loadTlsIdentity(join(folder, 'b'), { commonName: 'b', now });
await rm(folder, { recursive: true });

export type Wanted = Omit<ServeOptions, 'listen' | 'tls'> & Partial<Pick<ServeOptions, 'tls'>>;

/** A server on a free loopback port, over TLS unless told `tls: null`. */
export async function start(wanted: Wanted): Promise<RunningServer & { origin: string }> {
  const options = { tls: identity, ...wanted, listen: { address: '127.0.0.1', port: 0 } };
  const server = await serve(options);
  onTestFinished(() => server.close(0));
  const scheme = options.tls ? 'https' : 'http';
  return { ...server, origin: `${scheme}://127.0.0.1:${server.port}` };
}

export function client(trust: FetchTrust = { pin: identity.pin }): TrustedFetch {
  const fetch = createFetch(trust);
  onTestFinished(() => fetch.close());
  return fetch;
}

export async function listening(server: Server, port = 0): Promise<number> {
  const open = new Set<Socket>();
  server.on('connection', (socket: Socket) => open.add(socket));
  server.listen(port, '127.0.0.1');
  onTestFinished(() => {
    server.close();
    for (const socket of open) socket.destroy();
  });
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

export interface Line {
  socket: Socket;
  heard: () => string;
  ended: Promise<unknown>;
}

/** A bare connection, what came over it so far, and its end. */
export async function dial(port: number, words = ''): Promise<Line> {
  const socket = connect(port, '127.0.0.1');
  onTestFinished(() => void socket.destroy());
  let heard = '';
  socket.setEncoding('latin1').on('data', (data: string) => (heard += data));
  socket.on('error', () => {});
  const ended = new Promise((resolve) => {
    socket.once('close', resolve);
  });
  await once(socket, 'connect');
  socket.write(words);
  return { socket, heard: () => heard, ended };
}

export const get = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';
export const upgrade = 'GET /relay HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: weir\r\n\r\nearly';
