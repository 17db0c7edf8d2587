import type { IncomingMessage, Server, ServerResponse } from 'node:http';

const timers = new WeakMap<IncomingMessage, NodeJS.Timeout>();

/** Ends connections whose request body is not all there `ms` after the header, with 408 where an answer is open. */
export function limitBodyTime(server: Server, ms: number): void {
  server.prependListener('request', (incoming: IncomingMessage, outgoing: ServerResponse) => {
    if (!hasBody(incoming)) return;
    const timer = setTimeout(() => {
      if (!incoming.complete) refuse(incoming, outgoing);
    }, ms);
    timers.set(incoming, timer);
    incoming.once('close', () => clearTimeout(timer));
  });
}

/** Lets this request's body take its time: for uploads, once it is known who sends. */
export function expectLongBody(incoming: IncomingMessage): void {
  clearTimeout(timers.get(incoming));
}

function hasBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
}

function refuse({ socket }: IncomingMessage, outgoing: ServerResponse): void {
  if (outgoing.headersSent) socket.destroy();
  else socket.end('HTTP/1.1 408 Request Timeout\r\nConnection: close\r\n\r\n', () => socket.destroy());
}
