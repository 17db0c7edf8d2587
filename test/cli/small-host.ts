import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { bareEnd, type End, endedState } from '../../src/protocol/task-end.ts';
import { ProblemError } from '../../src/protocol/problem.ts';
import { parseArrayRange } from '../../src/protocol/task-array.ts';
import { isEnded, type TaskState } from '../../src/protocol/task-state.ts';
import { createWake, type Wake } from '../../src/lib/wake.ts';
import { at, newView, type SmallTask } from './small-task.ts';

/**
 * The task routes of a Host, small but whole, in memory, that can be cut off, stopped and brought back: for what a
 * client does when things break. What the routes mean is tested against the real Host.
 */
export interface SmallHost extends AsyncDisposable {
  url: string;
  token: string;
  requests: { method: string; url: string; headers: IncomingMessage['headers'] }[];
  tasks(): SmallTask['view'][];
  move(id: string, state: TaskState, change?: Record<string, unknown>): void;
  write(id: string, stream: string, bytes: Uint8Array | string): void;
  end(id: string, end: Partial<End> & Pick<End, 'cause'>): void;
  /** Resolves when a request has come whose method and path match. */
  asked(pattern: RegExp): Promise<void>;
  /** Breaks every connection, in the middle of whatever it carries. */
  cut(): void;
  /** Ends every open answer in order, as a Host that stops does. */
  finishStreams(): void;
  stop(): Promise<void>;
  restart(): Promise<void>;
  /** From now on this answers instead, when it answers `true`. */
  intercept(handler: (request: IncomingMessage, response: ServerResponse) => boolean): void;
}

export async function startSmallHost(): Promise<SmallHost> {
  const token = 'a-token-for-tests';
  const tasks = new Map<string, SmallTask>();
  const made = new Map<string, string>();
  const events: { seq: number; subject: string; json: string }[] = [];
  const requests: SmallHost['requests'] = [];
  const sockets = new Set<Socket>();
  const wakes = new Set<Wake>();
  const watchers = new Set<() => void>();
  let streams = new AbortController();
  let interceptor: Parameters<SmallHost['intercept']>[0] = () => false;

  const changed = (task: SmallTask, type: string): void => {
    task.view.rev += 1;
    const event = {
      seq: events.length + 1,
      at,
      type,
      subject: { kind: 'task', id: task.view.id },
      rev: task.view.rev,
      data: { ...task.view },
    };
    events.push({ seq: event.seq, subject: task.view.id, json: JSON.stringify(event) });
    for (const wake of wakes) wake.raise();
  };
  const find = (ref: string): SmallTask => {
    const task = [...tasks.values()].find(({ view }) => view.id === ref || view['name'] === ref);
    if (task) return task;
    throw new ProblemError('not_found', `there is no task "${ref}"`, {
      fix: 'see `weir task list`',
    });
  };
  const roots = (): SmallTask[] => [...tasks.values()].filter(({ view }) => !view.id.includes('.'));
  const submit = (spec: Record<string, unknown>): SmallTask => {
    const id = `t${roots().length + 1}`;
    const range = typeof spec['array'] === 'string' ? parseArrayRange(spec['array']) : null;
    if (range === null) return add(id, spec, {});
    if (typeof range === 'string') throw new ProblemError('invalid_field', range);
    const array = add(id, spec, { members: { queued: range.indexes.length } });
    for (const index of range.indexes) add(`${id}.${index}`, spec, { array: { id, index } });
    return array;
  };
  const add = (id: string, spec: Record<string, unknown>, more: Record<string, unknown>): SmallTask => {
    const view = newView(id, spec, more);
    const task: SmallTask = { view, records: [] };
    tasks.set(id, task);
    changed(task, 'task.queued');
    return task;
  };
  const membersOf = (id: string): SmallTask[] => [...tasks.values()].filter(({ view }) => view.id.startsWith(`${id}.`));
  /** Calls `step` now and at each change, until it answers `false` or the client is gone. */
  const hold = async (response: ServerResponse, step: () => boolean): Promise<void> => {
    const wake = createWake();
    const gone = new AbortController();
    response.on('close', () => gone.abort());
    wakes.add(wake);
    try {
      while (step()) await wake.wait(AbortSignal.any([gone.signal, streams.signal]));
    } catch {
      // The client has gone, or the Host ends its streams.
    } finally {
      wakes.delete(wake);
      response.end();
    }
  };

  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const url = new URL(request.url ?? '/', 'http://small');
    const json = (status: number, value: unknown): void => {
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value));
    };
    if (request.headers.authorization !== `Bearer ${token}`) {
      throw new ProblemError('unauthenticated', 'the token is not known', { fix: 'log in again' });
    }
    const body = await bodyOf(request);
    const [, , , kind, id, verb] = url.pathname.split('/').map(decodeURIComponent);
    if (kind === 'whoami') return json(200, { subject: 'ann' });
    if (kind === 'events') {
      let last = Number(request.headers['last-event-id'] ?? url.searchParams.get('since') ?? events.length);
      response.writeHead(200, { 'content-type': 'text/event-stream' }).write(': small\n\n');
      return hold(response, () => {
        for (const event of events.slice(last)) {
          last = event.seq;
          const subject = url.searchParams.get('subject');
          if (subject === null || subject === event.subject)
            response.write(`id: ${event.seq}\ndata: ${event.json}\n\n`);
        }
        return true;
      });
    }
    if (kind !== 'tasks') throw new ProblemError('not_found', 'there is no such path');
    if (request.method === 'POST' && id === undefined) {
      const key = String(request.headers['idempotency-key']);
      const known = made.get(key);
      const task = known === undefined ? submit(body as Record<string, unknown>) : find(known);
      made.set(key, task.view.id);
      return json(201, task.view);
    }
    if (request.method === 'POST' && id === 'batch') {
      return json(201, {
        items: (body as Record<string, unknown>[]).map((spec) => submit(spec).view),
      });
    }
    const array = url.searchParams.get('array');
    if (id === undefined)
      return json(200, {
        items: (array === null ? roots() : membersOf(array)).map(({ view }) => view),
        cursor: null,
        asOf: events.length,
      });
    const task = find(id);
    if (verb === 'kill') {
      for (const { view } of membersOf(task.view.id))
        if (!isEnded(view.state)) host.end(view.id, { cause: 'killed_by', exitCode: 143 });
      if (isEnded(task.view.state)) throw new ProblemError('state_conflict', `${task.view.id} has ended`);
      host.end(task.view.id, { cause: 'killed_by', exitCode: 143, signal: null });
      return json(202, task.view);
    }
    if (verb === 'wait') {
      return hold(response, () => {
        if (!isEnded(task.view.state)) return true;
        json(200, task.view);
        return false;
      });
    }
    if (verb === 'logs') {
      response.writeHead(200, { 'content-type': 'application/x-ndjson' }).flushHeaders();
      let next = Number(url.searchParams.get('since') ?? 0);
      const attempt = Number(url.searchParams.get('attempt') ?? task.view.attempt);
      return hold(response, () => {
        for (const one of task.records.filter(
          (one) => one.attempt === attempt && one.offset + one.bytes.length > next,
        )) {
          const bytes = one.bytes.subarray(Math.max(0, next - one.offset));
          const offset = one.offset + one.bytes.length - bytes.length;
          response.write(`${JSON.stringify({ at, stream: one.stream, offset, base64: bytes.toString('base64') })}\n`);
          next = offset + bytes.length;
        }
        const over = task.view.attempt > attempt || isEnded(task.view.state);
        return url.searchParams.get('follow') === 'true' && !over;
      });
    }
    json(200, task.view);
  };

  const server = createServer((request, response) => {
    requests.push({
      method: request.method ?? '',
      url: request.url ?? '',
      headers: request.headers,
    });
    for (const look of watchers) look();
    if (interceptor(request, response)) return;
    serve(request, response).catch((error: unknown) => {
      if (!(error instanceof ProblemError)) throw error;
      response
        .writeHead(error.status, { 'content-type': 'application/problem+json' })
        .end(JSON.stringify(error.toProblem('r1')));
    });
  });
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  const listen = (port: number): Promise<void> => new Promise((resolve) => server.listen(port, '127.0.0.1', resolve));
  const cut = (): void => {
    for (const socket of sockets) socket.destroy();
  };
  await listen(0);
  const { port } = server.address() as AddressInfo;
  const stop = (): Promise<void> =>
    new Promise((resolve) => {
      server.close(() => resolve());
      cut();
    });

  const host: SmallHost = {
    url: `http://127.0.0.1:${port}`,
    token,
    requests,
    tasks: () => [...tasks.values()].map(({ view }) => view),
    move(id, state, change = {}) {
      const task = find(id);
      Object.assign(task.view, { state, reason: null, ...change });
      if (state === 'running' && task.view['startedAt'] === null) {
        Object.assign(task.view, { startedAt: at, attempt: 1, node: 'n1', nodeName: 'gpu-1' });
      }
      changed(task, `task.${state}`);
    },
    write(id, stream, bytes) {
      const { records, view } = find(id);
      const attempt = Math.max(1, view.attempt);
      const last = records.findLast((one) => one.attempt === attempt);
      const offset = last ? last.offset + last.bytes.length : 0;
      records.push({ attempt, stream, bytes: Buffer.from(bytes), offset });
      for (const wake of wakes) wake.raise();
    },
    end(id, end) {
      const whole = { ...bareEnd(end.cause, ''), ...end };
      host.move(id, endedState(whole), { end: whole, endedAt: at });
    },
    asked: (pattern) =>
      new Promise((resolve) => {
        const look = (): void => {
          if (!requests.some(({ method, url }) => pattern.test(`${method} ${url}`))) return;
          watchers.delete(look);
          resolve();
        };
        watchers.add(look);
        look();
      }),
    cut,
    finishStreams() {
      const before = streams;
      streams = new AbortController();
      before.abort();
    },
    stop,
    restart: () => listen(port),
    intercept(handler) {
      interceptor = handler;
    },
    [Symbol.asyncDispose]: () => (server.listening ? stop() : Promise.resolve()),
  };
  return host;
}

async function bodyOf(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const text = Buffer.concat(chunks).toString('utf8');
  return text === '' ? null : JSON.parse(text);
}
