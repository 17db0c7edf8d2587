import { apiPrefix } from '../../../protocol/version.ts';
import { readEnvironment } from './environment.ts';
import { startWorker, type WorkerHost } from './start-worker.ts';

/** What of workerd's execution context is used here. */
interface Execution {
  /** Lets the promise go on when the answer has left. */
  waitUntil(promise: Promise<unknown>): void;
}

/** Outlives requests, never a promise of one: that would end with the request that began it. */
const kept = new Map<'host', WorkerHost>();

/** Routes that ask who was in contact lately. */
const asksContacts = new RegExp(`^${apiPrefix}/(?:nodes|runner|tasks)(?:/|$)`);

async function hostOf(env: object): Promise<WorkerHost> {
  const known = kept.get('host');
  if (known) return known;
  const made = await startWorker(readEnvironment(env));
  kept.set('host', made);
  return made;
}

async function answer(request: Request, env: object, execution: Execution): Promise<Response> {
  const { app, presence } = await hostOf(env);
  const exchanges = asksContacts.test(new URL(request.url).pathname);
  if (exchanges) await presence.exchange();
  const response = await app.fetch(request);
  if (exchanges && request.method === 'POST') execution.waitUntil(presence.exchange());
  return response;
}

export default { fetch: answer };
