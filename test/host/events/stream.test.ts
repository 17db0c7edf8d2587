import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { housekeeping } from '../../../src/host/reconcile/housekeeping.ts';
import { placeTasks } from '../../../src/host/reconcile/place.ts';
import type { TaskView } from '../../../src/protocol/task-view.ts';
import { problemOf, smallTask, taskOf } from '../../support/calls.ts';
import { openTestContext, type TestContext } from '../../support/host-context.ts';
import { createManualClock, type ManualClock } from '../../support/manual-clock.ts';
import { joinRunner } from '../../support/runner-wire.ts';
import { readEvents, type EventReader } from '../../support/sse.ts';

let clock: ManualClock;
let test: TestContext;
beforeEach(async () => {
  clock = createManualClock();
  test = await openTestContext({ clock, config: { eventRetentionRows: 3 } });
});
afterEach(() => test[Symbol.asyncDispose]());

const submit = async (): Promise<TaskView> => taskOf(await test.call('POST', '/api/v1/tasks', smallTask));

async function follow(query = '', headers: Record<string, string> = {}): Promise<EventReader> {
  const init = { headers: { authorization: `Bearer ${test.token}`, ...headers } };
  return readEvents(await test.app.fetch(new Request(`http://localhost/api/v1/events${query}`, init)));
}

describe('the stream of events', () => {
  it('begins now, and has each change once and in order', async () => {
    await submit();
    await using stream = await follow();
    const made = [await submit(), await submit()];
    await test.call('POST', `/api/v1/tasks/${made[0]?.id}/kill`, {});
    const seen = await stream.until(3);
    expect(seen.map((event) => [event.type, event.subject.id, event.rev])).toEqual([
      ['task.queued', made[0]?.id, 1],
      ['task.queued', made[1]?.id, 1],
      ['task.killed', made[0]?.id, 2],
    ]);
    expect(seen.map((event) => event.seq)).toEqual([2, 3, 4]);
    expect(seen[2]).toMatchObject({ actor: 'admin', data: { state: 'killed', end: { cause: 'killed_by' } } });
  });

  it('goes on behind Last-Event-ID, or behind since', async () => {
    for (let turn = 0; turn < 3; turn += 1) await submit();
    await using resumed = await follow('', { 'last-event-id': '1' });
    await using since = await follow('?since=2');
    await using both = await follow('?since=0', { 'last-event-id': '2' });
    expect((await resumed.until(2)).map((event) => event.seq)).toEqual([2, 3]);
    expect((await since.until(1)).map((event) => event.seq)).toEqual([3]);
    expect((await both.until(1)).map((event) => event.seq)).toEqual([3]);
  });

  it('loses nothing between pages and while it is being resumed', async () => {
    const specs = Array.from({ length: 300 }, () => smallTask);
    await test.call('POST', '/api/v1/tasks/batch', specs);
    const [stream] = await Promise.all([follow('?since=0'), test.call('POST', '/api/v1/tasks/batch', specs)]);
    await using reader = stream;
    expect((await reader.until(600)).map((event) => event.seq)).toEqual(Array.from({ length: 600 }, (_, at) => at + 1));
  });

  it('has only what the filter wants', async () => {
    await using nodes = await follow('?since=0&type=node.*');
    await using one = await follow('?since=0&subject=t2');
    await using queued = await follow('?since=0&type=task.queued');
    await submit();
    await joinRunner({ call: test.call, now: clock.now });
    await submit();
    await placeTasks(test.ctx);
    expect((await nodes.until(2)).map((event) => event.type)).toEqual(['node.joined', 'node.ready']);
    expect((await one.until(2)).map((event) => event.type)).toEqual(['task.queued', 'task.assigned']);
    expect((await queued.until(2)).map((event) => event.subject.id)).toEqual(['t1', 't2']);
  });

  it('is refused where those events are no longer kept, or not yet there', async () => {
    for (let turn = 0; turn < 6; turn += 1) await submit();
    await housekeeping(test.ctx);
    const ask = (headers: Record<string, string>, query = '') =>
      test.call('GET', `/api/v1/events${query}`, undefined, headers);
    expect(problemOf(await ask({ 'last-event-id': '1' }))).toMatchObject({
      status: 410,
      code: 'gone',
      fix: expect.stringContaining('asOf'),
    });
    expect(problemOf(await ask({}, '?since=0')).code).toBe('gone');
    expect(problemOf(await ask({ 'last-event-id': '7' })).code).toBe('gone');
    expect(problemOf(await ask({ 'last-event-id': 'x' })).code).toBe('invalid_field');
    await using stream = await follow('', { 'last-event-id': '3' });
    expect((await stream.until(3)).map((event) => event.seq)).toEqual([4, 5, 6]);
  });

  it('keeps its numbers when all events are too old', async () => {
    for (let turn = 0; turn < 3; turn += 1) await submit();
    await clock.advance(30 * 86_400_000);
    await housekeeping(test.ctx);
    await using stream = await follow();
    await submit();
    expect((await stream.until(1))[0]?.seq).toBe(4);
  });

  it('is pinged while nothing happens, and ends when the Host stops', async () => {
    const init = { headers: { authorization: `Bearer ${test.token}` } };
    const response = await test.app.fetch(new Request('http://localhost/api/v1/events', init));
    const reader = response.body?.getReader();
    const next = async (): Promise<string> => new TextDecoder().decode((await reader?.read())?.value);
    expect(await next()).toBe(': weir\n\n');
    await clock.advance(15_000);
    expect(await next()).toBe(': ping\n\n');
    test.stop();
    expect((await reader?.read())?.done).toBe(true);
  });
});
