import type { Duplex } from 'node:stream';
import { connect, type ConnectionOptions, type TLSSocket } from 'node:tls';
import { pinOf } from './tls-identity.ts';

/** The server that answered is not the one whose key is pinned. Nothing was sent to it. */
export class PinMismatchError extends Error {
  override readonly name = 'PinMismatchError';
  readonly code = 'PIN_MISMATCH';
  readonly expected: string;
  /** `null` when the server showed no certificate. */
  readonly seen: string | null;

  constructor(server: string, expected: string, seen: string | null) {
    super(`${server} is not the server that is trusted: its key has the pin ${seen ?? '(none)'}, expected ${expected}`);
    this.expected = expected;
    this.seen = seen;
  }
}

export interface TlsTrust {
  /** base64url of the SHA-256 of the one public key to accept; `null`: whoever the authorities vouch for. */
  pin: string | null;
  /** Authorities in place of the runtime's own; without effect beside a pin. */
  caPem?: string;
  /** Longest time for connection and handshake. */
  connectMs: number;
}

/**
 * Opens a TLS connection and hands it on only when the server is the trusted one; until then no byte of
 * the caller's is on the wire. A pin takes the place of names, dates and authorities.
 * `done` is called once, with a PinMismatchError, the socket's own error, or the socket.
 */
export function connectTrusted(
  options: ConnectionOptions,
  trust: TlsTrust,
  done: (error: Error | null, socket: TLSSocket) => void,
): void {
  const socket = connect({ ...options, ...verification(trust) });
  const server = `${options.host ?? 'localhost'}:${String(options.port)}`;
  const finish = (error: Error | null): void => {
    socket.removeAllListeners('timeout').setTimeout(0);
    socket.off('error', finish).off('close', onClose).off('secureConnect', onSecure);
    // What a socket that is given up still says is no news.
    if (error) socket.on('error', () => {}).destroy();
    done(error, socket);
  };
  const onClose = (): void => finish(failure('ECONNRESET', `${server} closed the connection in the handshake`));
  const onSecure = (): void => finish(trust.pin === null ? null : wrongPin(socket, server, trust.pin));
  socket.once('error', finish).once('close', onClose).once('secureConnect', onSecure);
  socket.setTimeout(trust.connectMs, () => {
    finish(failure('ETIMEDOUT', `${server} did not answer in ${trust.connectMs} ms`));
  });
}

/** Turns on the kernel's probes, so that a held connection to a machine that is gone ends. */
export function probeSilence(socket: Duplex): void {
  if ('setKeepAlive' in socket && typeof socket.setKeepAlive === 'function') socket.setKeepAlive(true, 15_000);
}

function verification({ pin, caPem }: TlsTrust): ConnectionOptions {
  if (pin !== null) return { rejectUnauthorized: false };
  return caPem === undefined ? { rejectUnauthorized: true } : { rejectUnauthorized: true, ca: caPem };
}

function wrongPin(socket: TLSSocket, server: string, pin: string): PinMismatchError | null {
  const certificate = socket.getPeerX509Certificate();
  const seen = certificate ? pinOf(certificate.publicKey) : null;
  return seen === pin ? null : new PinMismatchError(server, pin, seen);
}

function failure(code: string, message: string): Error {
  return Object.assign(new Error(message), { code });
}
