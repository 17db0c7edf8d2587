import type { Socket } from 'node:net';
import { connect, createServer } from 'node:net';

/** Stands between a client and a unix socket, so that a test can cut the two apart. */
export interface SocketProxy extends AsyncDisposable {
  path: string;
  /** Ends all connections and refuses new ones. */
  down(): void;
  up(): void;
  /** Goes down as soon as a client sends a request line that matches, which then never arrives. */
  downAt(request: RegExp): void;
}

export async function createSocketProxy(path: string, target: string): Promise<SocketProxy> {
  const open = new Set<Socket>();
  let isUp = true;
  let trap: RegExp | null = null;
  const down = (): void => {
    isUp = false;
    for (const socket of open) socket.destroy();
  };
  const server = createServer((client) => {
    if (!isUp) {
      client.destroy();
      return;
    }
    const engine = connect(target);
    for (const socket of [client, engine]) {
      open.add(socket);
      socket.on('error', () => socket.destroy());
      socket.on('close', () => open.delete(socket));
    }
    client.on('data', (chunk) => {
      if (trap?.test(chunk.toString('latin1').split('\r\n')[0] ?? '')) {
        trap = null;
        down();
      } else engine.write(chunk);
    });
    engine.on('data', (chunk) => client.write(chunk));
    client.on('close', () => engine.destroy());
    engine.on('close', () => client.destroy());
  });
  await new Promise<void>((resolve) => {
    server.listen(path, resolve);
  });
  return {
    path,
    down,
    up() {
      isUp = true;
    },
    downAt(request) {
      trap = request;
    },
    async [Symbol.asyncDispose]() {
      down();
      await new Promise((resolve) => {
        server.close(resolve);
      });
    },
  };
}
