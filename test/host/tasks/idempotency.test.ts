import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { housekeeping } from '../../../src/host/reconcile/housekeeping.ts';
import { pageOf, problemOf, smallTask, taskOf, type Call } from '../../support/calls.ts';
import { openTestContext, type TestContext } from '../../support/host-context.ts';
import { createManualClock, type ManualClock } from '../../support/manual-clock.ts';

let clock: ManualClock;
let test: TestContext;
beforeEach(async () => {
  clock = createManualClock();
  test = await openTestContext({ clock });
});
afterEach(() => test[Symbol.asyncDispose]());

const under = { 'idempotency-key': 'once' };
const submit = (call: Call = test.call, body: unknown = smallTask) => call('POST', '/api/v1/tasks', body, under);
const count = async (): Promise<number> => pageOf(await test.call('GET', '/api/v1/tasks')).items.length;

describe('a submission with an Idempotency-Key', () => {
  it('that is sent again answers what the first made', async () => {
    const first = taskOf(await submit());
    const again = await submit();
    expect(again.status).toBe(201);
    expect(taskOf(again).id).toBe(first.id);
    expect(await count()).toBe(1);
  });

  it('that is sent many times at once makes one task', async () => {
    const answers = await Promise.all(Array.from({ length: 20 }, () => submit()));
    expect(new Set(answers.map((answer) => taskOf(answer).id)).size).toBe(1);
    expect(await count()).toBe(1);
  });

  it('that says something else is refused and makes nothing', async () => {
    await submit();
    const other = await submit(test.call, { ...smallTask, name: 'other' });
    expect(problemOf(other)).toMatchObject({ status: 409, code: 'idempotency_mismatch' });
    expect(problemOf(await test.call('POST', '/api/v1/tasks?strict', smallTask, under)).code).toBe(
      'idempotency_mismatch',
    );
    expect(await count()).toBe(1);
  });

  it('shares its key with nobody', async () => {
    const ada = test.callAs(await test.issue({ subject: 'ada' }));
    const bob = test.callAs(await test.issue({ subject: 'bob' }));
    const [one, two] = [taskOf(await submit(ada)), taskOf(await submit(bob))];
    expect(one.id).not.toBe(two.id);
    expect([one.owner, two.owner]).toEqual(['ada', 'bob']);
  });

  it('may use the key of another route', async () => {
    const single = taskOf(await submit());
    const batch = await test.call('POST', '/api/v1/tasks/batch', [smallTask], under);
    expect(batch.body).toMatchObject({ items: [{ state: 'queued' }] });
    expect(JSON.stringify(batch.body)).not.toContain(`"${single.id}"`);
  });

  it('answers a whole batch again', async () => {
    const send = () => test.call('POST', '/api/v1/tasks/batch', [smallTask, smallTask], under);
    const [first, again] = [await send(), await send()];
    expect(again.body).toEqual(first.body);
    expect(await count()).toBe(2);
  });

  it('that was refused may be corrected under the same key', async () => {
    const nowhere = { ...smallTask, placement: { node: 'nowhere' } };
    expect((await submit(test.call, nowhere)).status).toBe(422);
    expect((await submit()).status).toBe(201);
  });

  it('keeps its key for a day', async () => {
    const first = taskOf(await submit());
    await clock.advance(86_400_000 - 1);
    await housekeeping(test.ctx);
    expect(taskOf(await submit()).id).toBe(first.id);
    await clock.advance(2);
    await housekeeping(test.ctx);
    expect(taskOf(await submit()).id).not.toBe(first.id);
  });

  it.each(['', ' ', 'a b', 'ü', 'a'.repeat(256)])('is refused when the key is "%s"', async (key) => {
    const headers = new Headers({ authorization: `Bearer ${test.token}`, 'content-type': 'application/json' });
    headers.set('idempotency-key', key);
    const request = new Request('http://localhost/api/v1/tasks', {
      method: 'POST',
      headers,
      body: JSON.stringify(smallTask),
    });
    expect((await test.app.fetch(request)).status).toBe(422);
    expect(await count()).toBe(0);
  });
});
