#!/usr/bin/env node
// @ts-check
// Tries failed tasks again that carry a label. Plain Node 20: no packages.
//   WEIR_URL=… WEIR_TOKEN=… node bot.mjs --label retry=bot --retries 3
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';

const { values } = parseArgs({
  options: {
    label: { type: 'string', default: 'retry=bot' },
    retries: { type: 'string', default: '3' },
  },
});
const [key = '', value = ''] = values.label.split('=');
const retries = Number(values.retries);
const { WEIR_URL: url, WEIR_TOKEN: token } = process.env;
if (!url || !token || value === '' || !Number.isInteger(retries)) {
  console.error('usage: WEIR_URL=… WEIR_TOKEN=… bot.mjs [--label KEY=VALUE] [--retries N]');
  process.exit(2);
}

const stop = new AbortController();
for (const name of ['SIGINT', 'SIGTERM']) process.once(name, () => stop.abort());

/** An answer that is a refusal. */
class Refusal extends Error {
  /**
   * @param {number} status
   * @param {string} detail
   */
  constructor(status, detail) {
    super(detail);
    this.status = status;
  }
}

/**
 * @param {string} path
 * @param {{ method?: string, headers?: Record<string, string> }} [init]
 */
async function call(path, { method = 'GET', headers = {} } = {}) {
  const response = await fetch(`${url}/api/v1${path}`, {
    method,
    headers: { authorization: `Bearer ${token}`, ...headers },
    signal: stop.signal,
  });
  if (response.ok) return response;
  const problem = await response.json().catch(() => null);
  throw new Refusal(response.status, problem?.detail ?? `status ${response.status}`);
}

/** @param {string} path */
const read = async (path) => (await call(path)).json();

/**
 * All tasks of a query, and the number of the last event that they include.
 * @param {Record<string, string>} wanted
 */
async function list(wanted) {
  const query = new URLSearchParams({ ...wanted, limit: '1000' });
  const first = await read(`/tasks?${query}`);
  const items = [...first.items];
  for (let { cursor } = first; cursor !== null;) {
    query.set('cursor', cursor);
    const page = await read(`/tasks?${query}`);
    items.push(...page.items);
    cursor = page.cursor;
  }
  // Of the first page: what happened while the others were read is among the events.
  return { items, asOf: Number(first.asOf) };
}

/** Deals with all that has failed so far; answers the event to go on behind. */
async function catchUp() {
  const label = `${key}=${value}`;
  const { items, asOf } = await list({ label, state: 'failed,running,queued,held' });
  for (const { id, state, members } of items) {
    // An array is done by its members, and some may have failed while others still run.
    if (!members) await (state === 'failed' ? consider(id) : undefined);
    else if (members.failed)
      for (const one of (await list({ array: id, state: 'failed' })).items) await consider(one.id);
  }
  return asOf;
}

/**
 * Tries a task again, if it has failed now and has had too few attempts.
 * @param {string} id
 */
async function consider(id) {
  try {
    const { state, attempt, end, members } = await read(`/tasks/${id}`);
    if (state !== 'failed' || members) return;
    const why = `${id} attempt ${attempt}: ${end?.message ?? 'failed'}`;
    if (attempt > retries) return console.log(`${why}; given up`);
    await call(`/tasks/${id}/retry`, { method: 'POST' });
    console.log(`${why}; tried again`);
  } catch (error) {
    // It is gone, or somebody else was quicker.
    if (!(error instanceof Refusal && [404, 409].includes(error.status))) throw error;
  }
}

/**
 * Hands on each failure behind event `from`, until the stream ends.
 * @param {number} from
 * @param {(event: any) => Promise<void>} handle
 */
async function follow(from, handle) {
  const headers = { 'last-event-id': String(from) };
  const { body } = await call('/events?type=task.failed', { headers });
  if (body === null) return;
  let text = '';
  for await (const chunk of body.pipeThrough(new TextDecoderStream())) {
    const messages = `${text}${chunk}`.split('\n\n');
    text = messages.pop() ?? '';
    for (const message of messages) {
      const data = message.split('\n').find((line) => line.startsWith('data:'));
      if (data) await handle(JSON.parse(data.slice('data:'.length)));
    }
  }
}

/** The last event that was dealt with; `null`: the list has to be read. @type {number | null} */
let last = null;
let waitMs = 250;
while (!stop.signal.aborted) {
  try {
    last ??= await catchUp();
    await follow(last, async ({ seq, subject, data }) => {
      if (data?.labels?.[key] === value) await consider(subject.id);
      // Not before: what could not be done is met again behind a break.
      last = seq;
      waitMs = 250;
    });
  } catch (error) {
    if (stop.signal.aborted) break;
    const status = error instanceof Refusal ? error.status : 0;
    if (status === 410) last = null;
    else if (status >= 400 && status < 500 && status !== 429) throw error;
    console.error(`${error instanceof Error ? error.message : String(error)}; going on`);
  }
  await sleep(waitMs, undefined, { signal: stop.signal }).catch(() => undefined);
  waitMs = Math.min(waitMs * 2, 30_000);
}
