import type { Server } from 'node:http';
import type { Socket } from 'node:net';

/** Cuts every connection of an address beyond `most` before a byte of it is read. */
export function limitConnections(server: Server, most: number): void {
  const open = new Map<string, number>();
  // First in line, so that nothing is spent on a TLS handshake.
  server.prependListener('connection', (socket: Socket) => {
    const address = socket.remoteAddress ?? '';
    const count = open.get(address) ?? 0;
    if (count >= most) {
      socket.destroy();
      return;
    }
    open.set(address, count + 1);
    socket.once('close', () => {
      const left = (open.get(address) ?? 1) - 1;
      if (left > 0) open.set(address, left);
      else open.delete(address);
    });
  });
}
