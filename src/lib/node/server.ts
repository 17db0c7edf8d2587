import {
  createServer as createHttpServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerOptions,
} from 'node:http';
import { createServer as createHttpsServer, Server as HttpsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { getRequestListener, type HttpBindings } from '@hono/node-server';
import { limitConnections } from './connection-limits.ts';
import { limitBodyTime } from './long-body.ts';
import { trackConnections } from './open-connections.ts';

export interface ServerLimits {
  /** Longest time until the header is there. */
  headersMs: number;
  /** Longest time from the header to the end of the body, unless `expectLongBody` lifts it. */
  requestMs: number;
  /** How long an unused connection is kept. */
  idleMs: number;
  headerBytes: number;
  connections: number;
  /** Of one client address; a reverse proxy is one. */
  connectionsPerAddress: number;
}

export interface ServeOptions {
  /** Hono's `app.fetch`: `c.env.incoming` is Node's request, `remoteAddressOf` tells whose. */
  fetch: (request: Request, env: HttpBindings) => Response | Promise<Response>;
  /** Port 0 takes a free one. */
  listen: { address: string; port: number };
  tls: { certPem: string; keyPem: string } | null;
  /** Gets the requests with `Upgrade`, which `fetch` then does not see. The socket is its own to end. */
  onUpgrade?: (request: IncomingMessage, socket: Duplex, head: Buffer) => void;
  limits?: Partial<ServerLimits>;
}

export interface RunningServer {
  address: string;
  port: number;
  /** Shows this certificate to connections from now on; those that are there go on. Without effect on plain HTTP. */
  useTls(tls: { certPem: string; keyPem: string }): void;
  /**
   * Takes no more connections, ends those without a request, waits up to `graceMs` for the others, then
   * cuts them. Streams without an end (SSE) should be ended by their handlers first.
   */
  close(graceMs: number): Promise<void>;
}

const defaults: ServerLimits = {
  headersMs: 10_000,
  requestMs: 60_000,
  idleMs: 60_000,
  headerBytes: 16_384,
  connections: 10_000,
  connectionsPerAddress: 4_096,
};

/**
 * Serves a Fetch handler by HTTP/1.1, over TLS when given a key. An answer may take as long as it likes.
 * @throws Error naming address and port when they cannot be listened on; its `cause` has the code.
 */
export async function serve(options: ServeOptions): Promise<RunningServer> {
  const limits: ServerLimits = { ...defaults, ...options.limits };
  const server = makeServer(options, limits);
  server.maxConnections = limits.connections;
  limitConnections(server, limits.connectionsPerAddress);
  limitBodyTime(server, limits.requestMs);
  const connections = trackConnections(server, options.tls ? 'secureConnection' : 'connection');
  const { onUpgrade } = options;
  // With no listener Node hands such requests to `fetch`.
  if (onUpgrade) {
    server.on('upgrade', (request, socket, head) => {
      connections.keep(socket);
      // A reset that nobody listens for would end the process.
      socket.on('error', () => socket.destroy());
      onUpgrade(request, socket, head);
    });
  }
  const { address, port } = await listen(server, options.listen);
  const useTls: RunningServer['useTls'] = (tls) => {
    if (server instanceof HttpsServer) server.setSecureContext(secureContext(tls));
  };
  return { address, port, useTls, close: connections.close };
}

/** The client's address as the socket has it, IPv4 in its own form; `null` once the connection is gone. */
export function remoteAddressOf({ socket }: { socket: Socket }): string | null {
  return socket.remoteAddress?.replace(/^::ffff:(?=\d+\.)/, '') ?? null;
}

function makeServer({ fetch, tls }: ServeOptions, limits: ServerLimits): Server {
  const answer = getRequestListener(
    // What is made below speaks HTTP/1.1 only.
    (request, env) => fetch(request, env as HttpBindings),
    // Replaces the global Request and Response: 24 µs a request instead of 81.
    { overrideGlobalObjects: true },
  );
  const listener: RequestListener = (incoming, outgoing) => void answer(incoming, outgoing);
  const options: ServerOptions = {
    headersTimeout: limits.headersMs,
    // Node's own cannot be lifted for a single request.
    requestTimeout: 0,
    keepAliveTimeout: limits.idleMs,
    maxHeaderSize: limits.headerBytes,
    connectionsCheckingInterval: Math.min(1000, limits.headersMs),
    noDelay: true,
  };
  if (!tls) return createHttpServer(options, listener);
  const secure = { ...secureContext(tls), handshakeTimeout: limits.headersMs };
  return createHttpsServer({ ...options, ...secure, ALPNProtocols: ['http/1.1'] }, listener);
}

function secureContext({ certPem, keyPem }: { certPem: string; keyPem: string }) {
  return { cert: certPem, key: keyPem, minVersion: 'TLSv1.2' } as const;
}

function listen(server: Server, at: { address: string; port: number }): Promise<AddressInfo> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause) => {
      reject(new Error(`cannot listen on ${at.address}:${at.port}: ${cause.message}`, { cause }));
    });
    server.listen(at.port, at.address, () => {
      const bound = server.address();
      if (bound !== null && typeof bound === 'object') resolve(bound);
    });
  });
}
