// @ts-check
// Follows the demo's tasks by events, and what they print by their logs.
import { isSettled } from './demo-tasks.mjs';

/**
 * @typedef {{
 *   api: import('./demo-weir.mjs').Api,
 *   stage: import('./demo-stage.mjs').Stage,
 *   tasks: any[],
 *   since: number,
 * }} Following
 */

/**
 * Shows what happens until every task has ended, or waits for what will never come.
 * @param {Following} following
 * @param {AbortSignal} signal
 * @returns {Promise<Map<string, import('./demo-tasks.mjs').Seen>>}
 */
export async function followAll({ api, stage, tasks, since }, signal) {
  const views = new Map(tasks.map((task) => [task.id, task]));
  /** @type {Map<string, import('./demo-tasks.mjs').Seen>} */
  const seen = new Map(tasks.map(({ id }) => [id, { reasons: [], lines: [] }]));
  /** @type {Map<string, Promise<void>>} */
  const logs = new Map();
  /** @type {Promise<void>[]} */
  const endings = [];
  for await (const event of events(api, since)) {
    const before = views.get(event.subject.id);
    if (!before || event.data === null || event.rev <= before.rev) continue;
    const view = { ...before, ...event.data };
    views.set(view.id, view);
    const notes = seen.get(view.id);
    if (view.state === 'queued' && view.reason) notes?.reasons.push(view.reason.code);
    if (view.startedAt !== null && !logs.has(view.id)) {
      const log = showLog(api, view, (line) => {
        notes?.lines.push(line.text);
        stage.line(view, line);
      });
      logs.set(view.id, quiet(log));
    }
    // Its last words come before the word of its end.
    const told = logs.get(view.id) ?? Promise.resolve();
    if (view.endedAt === null) stage.change(view);
    else endings.push(quiet(told.then(() => stage.change(view))));
    if ([...views.values()].every(isSettled)) break;
  }
  await Promise.all(endings);
  signal.throwIfAborted();
  return seen;
}

/**
 * A failure is told where it is awaited, and by nobody when the waiting ends before.
 * @param {Promise<void>} promise
 */
function quiet(promise) {
  promise.catch(() => {});
  return promise;
}

/**
 * @param {import('./demo-weir.mjs').Api} api
 * @param {number} since
 */
async function* events(api, since) {
  for await (const line of api.stream(`/events?since=${since}&type=task.*`, 'text/event-stream')) {
    if (line.startsWith('data: ')) yield JSON.parse(line.slice('data: '.length));
  }
}

/**
 * @param {import('./demo-weir.mjs').Api} api
 * @param {any} view
 * @param {(line: { stream: string, text: string }) => void} onLine
 */
async function showLog(api, view, onLine) {
  /** @type {Record<string, string>} */
  const rest = {};
  for await (const record of api.stream(`/tasks/${view.id}/logs?follow=true`, 'application/x-ndjson')) {
    const { stream, text = '' } = JSON.parse(record);
    const lines = `${rest[stream] ?? ''}${text}`.split('\n');
    rest[stream] = lines.pop() ?? '';
    for (const line of lines) onLine({ stream, text: line });
  }
  for (const [stream, text] of Object.entries(rest)) if (text !== '') onLine({ stream, text });
}
