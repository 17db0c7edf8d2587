import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';

export interface OpenConnections {
  /** Counts the connection as in use until it ends: it was upgraded. */
  keep(socket: Duplex): void;
  close(graceMs: number): Promise<void>;
}

/**
 * Knows which connections of a server have a request under way, which Node does not say for those that
 * have not had one yet. `accepted` is the event that brings a connection ready to use.
 */
export function trackConnections(server: Server, accepted: 'connection' | 'secureConnection'): OpenConnections {
  const idle = new Set<Duplex>();
  const raw = keepOpen(server);
  let closing: Promise<void> | null = null;
  server.prependListener(accepted, (socket: Duplex) => {
    if (closing) socket.destroy();
    idle.add(socket);
    socket.once('close', () => idle.delete(socket));
  });
  server.prependListener('request', ({ socket }: IncomingMessage, outgoing: ServerResponse) => {
    idle.delete(socket);
    outgoing.once('close', () => {
      if (closing) socket.destroySoon();
      else if (!socket.destroyed) idle.add(socket);
    });
  });
  // Node's own would cut answers that are handed over but not yet sent (`finished` is set by `end`).
  server.closeIdleConnections = () => {};
  const close = async (graceMs: number): Promise<void> => {
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    for (const socket of idle) socket.destroy();
    const timer = setTimeout(() => {
      for (const socket of raw) socket.destroy();
    }, graceMs);
    await closed;
    clearTimeout(timer);
  };
  return {
    keep: (socket) => void idle.delete(socket),
    close: (graceMs) => (closing ??= close(graceMs)),
  };
}

/** Every connection of the server, in its handshake or upgraded too. */
function keepOpen(server: Server): Set<Duplex> {
  const open = new Set<Duplex>();
  server.prependListener('connection', (socket: Duplex) => {
    open.add(socket);
    socket.once('close', () => open.delete(socket));
  });
  return open;
}
