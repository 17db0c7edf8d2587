import { createFetch } from '../../src/lib/node/pinned-fetch.ts';
import type { TaskView } from '../../src/protocol/task-view.ts';

/** The Host's API as a bot uses it. Every answer that is not 2xx throws with its body. */
export interface ApiClient {
  get<T>(path: string): Promise<T>;
  post<T>(path: string, body?: unknown): Promise<T>;
  text(path: string): Promise<string>;
  /** An answer that goes on until the signal aborts. */
  stream(path: string, signal: AbortSignal): Promise<AsyncIterable<Uint8Array>>;
  submit(spec: Record<string, unknown>): Promise<TaskView>;
  task(id: string): Promise<TaskView>;
  /** Waits until the task has ended. */
  end(id: string): Promise<TaskView>;
  /** Waits until the task is as wanted. */
  until(id: string, wanted: (task: TaskView) => boolean): Promise<TaskView>;
}

interface EndpointTrust {
  pin?: string | null;
}

/** How often a state is asked for, ms: the wire has no call that waits for another state than the end. */
const askEveryMs = 20;

export function apiClient(url: string, token: string, { pin = null }: EndpointTrust = {}): ApiClient {
  const fetch = createFetch({ pin });
  const call = async (path: string, init: RequestInit = {}): Promise<Response> => {
    const headers = { authorization: `Bearer ${token}`, ...(init.body ? { 'content-type': 'application/json' } : {}) };
    const answer = await fetch(`${url}/api/v1${path}`, { ...init, headers });
    if (answer.ok) return answer;
    throw new Error(`${init.method ?? 'GET'} ${path}: ${answer.status} ${await answer.text()}`);
  };
  const client: ApiClient = {
    get: async <T>(path: string) => (await call(path)).json() as Promise<T>,
    post: async <T>(path: string, body?: unknown) =>
      (
        await call(path, { method: 'POST', ...(body === undefined ? {} : { body: JSON.stringify(body) }) })
      ).json() as Promise<T>,
    text: async (path) => (await call(path)).text(),
    async stream(path, signal) {
      const { body } = await call(path, { signal });
      if (body === null) throw new Error(`${path} answered nothing`);
      return body;
    },
    submit: (spec) => client.post<TaskView>('/tasks', spec),
    task: (id) => client.get<TaskView>(`/tasks/${id}`),
    end: (id) => client.until(id, ({ end }) => end !== null),
    async until(id, wanted) {
      for (;;) {
        const task = await client.get<TaskView>(`/tasks/${id}`);
        if (wanted(task)) return task;
        if (task.end !== null) throw new Error(`${id} ended meanwhile: ${JSON.stringify(task.end)}`);
        await new Promise((resolve) => setTimeout(resolve, askEveryMs));
      }
    },
  };
  return client;
}
