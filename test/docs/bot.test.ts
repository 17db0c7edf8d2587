import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const bot = fileURLToPath(new URL('../../docs/recipes/bot.mjs', import.meta.url));

interface Asked {
  request: string;
  lastEventId: string | undefined;
  response: ServerResponse;
}

/** A Host that answers as the test says; each request is handed over in its turn. */
async function withHost(use: (url: string, next: () => Promise<Asked>) => Promise<void>): Promise<void> {
  const asked: Asked[] = [];
  let wake = (): void => undefined;
  const server = createServer(({ method, url, headers }: IncomingMessage, response) => {
    const path = (url ?? '').replace(/\?.*/, '').replace('/api/v1', '');
    asked.push({
      request: `${method ?? ''} ${path}`,
      lastEventId: headers['last-event-id'] as string | undefined,
      response,
    });
    wake();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' ? (address?.port ?? 0) : 0;
  const next = async (): Promise<Asked> => {
    for (;;) {
      const one = asked.shift();
      if (one) return one;
      await new Promise<void>((resolve) => (wake = resolve));
    }
  };
  try {
    await use(`http://127.0.0.1:${String(port)}`, next);
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

function answer({ response }: Asked, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

function stream({ response }: Asked, ...events: { seq: number; labels: Record<string, string> }[]): void {
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  response.write(': weir\n\n');
  for (const { seq, labels } of events) {
    const data = { seq, subject: { kind: 'task', id: 't1' }, data: { labels } };
    response.write(`event: task.failed\ndata: ${JSON.stringify(data)}\nid: ${String(seq)}\n\n`);
  }
}

const emptyList = (asOf: number) => ({ items: [], cursor: null, asOf });

describe('the bot of the recipes', () => {
  it(
    'goes on behind the last event, reads the list again after 410, and ends at SIGTERM',
    { timeout: 20_000 },
    async () => {
      await withHost(async (url, next) => {
        const env = { PATH: process.env['PATH'], WEIR_URL: url, WEIR_TOKEN: 'token' };
        const child = spawn(process.execPath, [bot], { env, stdio: ['ignore', 'pipe', 'ignore'] });
        const output = text(child.stdout);
        const asked: string[] = [];
        const turn = async (reply: (one: Asked) => void): Promise<void> => {
          const one = await next();
          asked.push([one.request, ...(one.lastEventId === undefined ? [] : [`behind ${one.lastEventId}`])].join(' '));
          reply(one);
        };
        const failed = { state: 'failed', attempt: 1, end: { message: 'exited with code 3' } };
        await turn((one) => answer(one, 200, emptyList(7)));
        await turn((one) => stream(one, { seq: 8, labels: { retry: 'other' } }, { seq: 9, labels: { retry: 'bot' } }));
        await turn((one) => answer(one, 200, failed));
        await turn((one) => answer(one, 503, { detail: 'busy' }));
        let open: ServerResponse | undefined;
        await turn((one) => {
          open = one.response;
          stream(one, { seq: 9, labels: { retry: 'bot' } });
        });
        await turn((one) => answer(one, 200, failed));
        await turn((one) => answer(one, 202, {}));
        open?.end();
        await turn((one) => answer(one, 410, { detail: 'no longer kept' }));
        await turn((one) => answer(one, 200, emptyList(20)));
        await turn((one) => stream(one));
        child.kill('SIGTERM');
        const [code] = (await once(child, 'close')) as [number | null];
        expect(asked).toEqual([
          'GET /tasks',
          'GET /events behind 7',
          'GET /tasks/t1',
          'POST /tasks/t1/retry',
          // The failure that could not be dealt with is met again.
          'GET /events behind 8',
          'GET /tasks/t1',
          'POST /tasks/t1/retry',
          'GET /events behind 9',
          'GET /tasks',
          'GET /events behind 20',
        ]);
        expect({ code, output: await output }).toEqual({
          code: 0,
          output: 't1 attempt 1: exited with code 3; tried again\n',
        });
      });
    },
  );
});
