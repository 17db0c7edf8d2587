import { Agent as HttpAgent, request as httpRequest, type ClientRequest, type IncomingMessage } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { connectTrusted, PinMismatchError, probeSilence, type TlsTrust } from './pinned-connection.ts';

export interface FetchTrust {
  /** base64url of the SHA-256 of the server's public key; absent or `null`: authorities, or plain HTTP. */
  pin?: string | null;
  /** Authorities in place of the runtime's own, PEM. */
  caPem?: string;
  /** Longest time for connection and handshake; 10 s unless said. Nothing else is timed: pass a signal. */
  connectMs?: number;
}

/** `fetch` of the platform, with connections of its own that are kept for later calls. */
export interface TrustedFetch {
  (input: string | URL | Request, init?: RequestInit): Promise<Response>;
  /** Ends the connections, those in use too. */
  close(): void;
}

type Dial = (url: URL, options: { method: string; headers: Record<string, string | string[]> }) => ClientRequest;

/**
 * Makes a `fetch` that talks to the trusted server only: with a pin, the server's key is compared before
 * anything of a request leaves, and `http:` is refused. Redirects are answers like any other, never
 * followed; bodies stream both ways; an answer may take for ever.
 *
 * Calls reject with PinMismatchError, the signal's reason, or TypeError whose `cause` has the socket's `code`.
 */
export function createFetch(trust: FetchTrust): TrustedFetch {
  const { pin = null, connectMs = 10_000 } = trust;
  const http = new HttpAgent({ keepAlive: true });
  const https = trustingAgent({ ...trust, pin, connectMs });
  const dial: Dial = (url, options) => {
    if (url.protocol === 'https:') return httpsRequest(url, { ...options, agent: https });
    if (url.protocol !== 'http:') throw new TypeError(`${url.protocol} is neither https: nor http:`);
    if (pin !== null) throw new TypeError(`${url.origin} has a pinned key: it is spoken to by https: only`);
    return httpRequest(url, { ...options, agent: http });
  };
  return Object.assign(async (input: string | URL | Request, init: RequestInit = {}) => exchange(dial, input, init), {
    close() {
      http.destroy();
      https.destroy();
    },
  });
}

function trustingAgent(trust: TlsTrust): HttpsAgent {
  const agent = new HttpsAgent({ keepAlive: true });
  agent.createConnection = (options, callback) => {
    const { host, port, servername } = options;
    const target = {
      host: host ?? 'localhost',
      port: Number(port),
      ALPNProtocols: ['http/1.1'],
      ...(servername === undefined ? {} : { servername }),
    };
    connectTrusted(target, trust, (error, socket) => callback?.(error, socket));
    return undefined;
  };
  return agent;
}

function exchange(dial: Dial, input: string | URL | Request, init: RequestInit): Promise<Response> {
  const signal = init.signal === undefined && input instanceof Request ? input.signal : init.signal;
  signal?.throwIfAborted();
  const streaming = { duplex: 'half', signal: null };
  const request = new Request(input, { ...init, ...streaming });
  const url = new URL(request.url);
  const bytes = wholeBody(init.body);
  const outgoing = dial(url, { method: request.method, headers: headersOf(request, bytes) });
  return new Promise((resolve, reject) => {
    let answer: IncomingMessage | null = null;
    const onAbort = (): void => {
      answer?.destroy(asError(signal?.reason));
      outgoing.destroy();
      reject(signal?.reason);
    };
    const fail = (error: unknown): void => {
      reject(error instanceof PinMismatchError ? error : unreachable(url, error));
    };
    const giveUp = (error: unknown): void => {
      answer?.destroy(asError(error));
      outgoing.destroy();
      fail(error);
    };
    signal?.addEventListener('abort', onAbort, { once: true });
    outgoing.once('close', () => {
      signal?.removeEventListener('abort', onAbort);
      fail(new Error('the connection ended before an answer came'));
    });
    // After an answer it is only the rest of the upload that was not wanted.
    outgoing.on('error', fail);
    outgoing.once('socket', probeSilence);
    outgoing.once('response', (incoming) => {
      answer = incoming;
      try {
        resolve(responseOf(incoming, request.method));
      } catch (error) {
        giveUp(error);
      }
    });
    if (bytes || request.body === null) outgoing.end(bytes);
    else send(request.body, outgoing).catch(giveUp);
  });
}

/** The body when all of it is at hand, so that its length can be told beforehand. */
function wholeBody(body: RequestInit['body']): Uint8Array | undefined {
  if (typeof body === 'string') return Buffer.from(body);
  return body instanceof Uint8Array ? body : undefined;
}

function headersOf(request: Request, bytes: Uint8Array | undefined): Record<string, string | string[]> {
  const headers: Record<string, string | string[]> = Object.fromEntries(request.headers);
  for (const name of ['connection', 'content-length', 'transfer-encoding']) delete headers[name];
  // Node frames no body of a DELETE by itself: its bytes would be read as the next request.
  if (bytes) headers['content-length'] = String(bytes.length);
  else if (request.body) headers['transfer-encoding'] = 'chunked';
  return headers;
}

async function send(body: ReadableStream<Uint8Array>, outgoing: ClientRequest): Promise<void> {
  const reader = body.getReader();
  outgoing.once('close', () => void reader.cancel().catch(() => {}));
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    if (!outgoing.write(value)) await drained(outgoing);
  }
  outgoing.end();
}

function drained(outgoing: ClientRequest): Promise<void> {
  return new Promise((resolve) => {
    if (outgoing.closed) return resolve();
    const proceed = (): void => {
      outgoing.off('drain', proceed).off('close', proceed);
      resolve();
    };
    outgoing.on('drain', proceed).on('close', proceed);
  });
}

function responseOf(incoming: IncomingMessage, method: string): Response {
  const status = incoming.statusCode ?? 0;
  const headers = new Headers();
  for (let at = 0; at + 1 < incoming.rawHeaders.length; at += 2) {
    headers.append(incoming.rawHeaders[at] ?? '', incoming.rawHeaders[at + 1] ?? '');
  }
  const empty = method === 'HEAD' || [204, 205, 304].includes(status);
  if (empty) incoming.resume();
  const body = empty ? null : bodyOf(incoming);
  return new Response(body, { status, statusText: incoming.statusMessage ?? '', headers });
}

function bodyOf(incoming: IncomingMessage): ReadableStream<Uint8Array> {
  const chunks: AsyncIterator<Uint8Array> = incoming[Symbol.asyncIterator]();
  incoming.on('error', () => {});
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      const { done, value } = await chunks.next();
      if (done) controller.close();
      else controller.enqueue(value);
    },
    cancel() {
      incoming.destroy();
    },
  });
}

function unreachable(url: URL, cause: unknown): TypeError {
  return new TypeError(`cannot reach ${url.origin}: ${asError(cause).message || codeOf(cause)}`, {
    cause,
  });
}

/** A refused connection to a name with several addresses has a code and no message. */
function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'no reason given';
}

function asError(value: unknown): Error {
  return value instanceof Error ? value : new Error(String(value));
}
