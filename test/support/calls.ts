import * as v from 'valibot';
import { problemSchema, type Problem } from '../../src/protocol/problem.ts';
import { taskViewSchema, type TaskView } from '../../src/protocol/task-view.ts';

/** An answer that was read whole. */
export interface Answer {
  status: number;
  headers: Headers;
  text: string;
  /** The parsed JSON, or the text where it is none. */
  body: unknown;
}

export type Headed = Readonly<Record<string, string>>;

/** A text goes out as it is, anything else as JSON; both as `application/json` unless the headers say otherwise. */
export type Call = (...request: [method: string, path: string, body?: unknown, headers?: Headed]) => Promise<Answer>;

/** Whatever answers a request: an app, or `fetch` to a server. */
export type Ask = (path: string, init: RequestInit) => Promise<Response>;

/** Calls with this token, unless the headers bring a credential of their own (an empty one sends none). */
export function createCall(ask: Ask, token: string): Call {
  return async (...[method, path, body, headers = {}]) => {
    const sent = new Headers(headers);
    if (!sent.has('authorization')) sent.set('authorization', `Bearer ${token}`);
    if (sent.get('authorization') === '') sent.delete('authorization');
    if (body !== undefined && !sent.has('content-type')) sent.set('content-type', 'application/json');
    if (sent.get('content-type') === '') sent.delete('content-type');
    const text = typeof body === 'string' || body === undefined ? body : JSON.stringify(body);
    return read(await ask(path, { method, headers: sent, ...(text === undefined ? {} : { body: text }) }));
  };
}

export async function read(response: Response): Promise<Answer> {
  const text = await response.text();
  return { status: response.status, headers: response.headers, text, body: parsed(text) };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}

/** The problem of a refusal; throws where the answer is not one as every refusal must be. */
export function problemOf(answer: Answer): Problem {
  const problem = v.parse(problemSchema, answer.body);
  const type = answer.headers.get('content-type');
  if (type !== 'application/problem+json') throw new Error(`a refusal came as ${type}: ${answer.text}`);
  if (problem.status !== answer.status) throw new Error(`status ${answer.status} says ${answer.text}`);
  if (problem.requestId !== answer.headers.get('x-request-id')) throw new Error(`no request id: ${answer.text}`);
  return problem;
}

export function taskOf(answer: Answer): TaskView {
  if (answer.status >= 300) throw new Error(`expected a task, got ${answer.status}: ${answer.text}`);
  return v.parse(taskViewSchema, answer.body);
}

const pageSchema = v.object({ items: v.array(taskViewSchema), cursor: v.nullable(v.string()), asOf: v.number() });

export function pageOf(answer: Answer): v.InferOutput<typeof pageSchema> {
  if (answer.status !== 200) throw new Error(`expected a page, got ${answer.status}: ${answer.text}`);
  return v.parse(pageSchema, answer.body);
}

/** A small task that any node can run. */
export const smallTask = {
  image: 'weir/demo:1',
  command: ['true'],
  resources: { cpus: 0.5, memory: '64MiB' },
} as const;
