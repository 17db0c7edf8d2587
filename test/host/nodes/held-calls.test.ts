import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { placeTasks } from '../../../src/host/reconcile/place.ts';
import { formatSessionProof } from '../../../src/protocol/enrol.ts';
import type { SyncAnswer } from '../../../src/protocol/sync.ts';
import type { TaskView } from '../../../src/protocol/task-view.ts';
import { protocolVersion } from '../../../src/protocol/version.ts';
import { problemOf, smallTask, taskOf } from '../../support/calls.ts';
import { openTestContext, type TestContext } from '../../support/host-context.ts';
import { createManualClock, settled, type ManualClock } from '../../support/manual-clock.ts';
import { digestOf, joinRunner, macOf, type WireRunner } from '../../support/runner-wire.ts';

let clock: ManualClock;
let test: TestContext;
let runner: WireRunner;
beforeEach(async () => {
  clock = createManualClock();
  test = await openTestContext({ clock });
  runner = await joinRunner(wire());
});
afterEach(() => test[Symbol.asyncDispose]());

const wire = () => ({ call: test.call, now: clock.now });
const submit = async (more: Record<string, unknown> = {}): Promise<TaskView> =>
  taskOf(await test.call('POST', '/api/v1/tasks', { ...smallTask, ...more }));

async function assigned(on: WireRunner = runner): Promise<string> {
  const { id } = await submit({ placement: { node: on.node } });
  await placeTasks(test.ctx);
  await on.sync();
  expect(on.desired.has(id)).toBe(true);
  return id;
}

/** Whether the call is still held when nothing more can happen without time. */
async function isHeld(call: Promise<unknown>): Promise<boolean> {
  let held = true;
  void call.then(
    () => (held = false),
    () => (held = false),
  );
  for (let turn = 0; turn < 10; turn += 1) await settled();
  return held;
}

describe('a held call', () => {
  it('gets an assignment at once', async () => {
    const held = runner.sync({ holdMs: 20_000 });
    expect(await isHeld(held)).toBe(true);
    const { id } = await submit();
    await placeTasks(test.ctx);
    const answer = await held;
    expect(answer.desired?.tasks).toMatchObject([
      { task: id, attempt: 1, stop: null, seen: false, spec: { image: 'weir/demo:1', argv: ['true'], cpuMilli: 500 } },
    ]);
  });

  it('is answered with nothing new when its time is over', async () => {
    const held = runner.sync({ holdMs: 20_000 });
    expect(await isHeld(held)).toBe(true);
    await clock.advance(20_000);
    expect(await held).toMatchObject({ acked: [], wantFull: false, superseded: false });
  });

  it('is held no longer than the Host wants', async () => {
    const held = runner.sync({ holdMs: 3_600_000 });
    expect(await isHeld(held)).toBe(true);
    await clock.advance(20_000);
    expect((await held).desired).toBeUndefined();
  });

  it('is answered at once when a newer one comes, which is held', async () => {
    const older = runner.sync({ holdMs: 20_000 });
    expect(await isHeld(older)).toBe(true);
    const newer = runner.sync({ holdMs: 20_000 });
    expect(await older).toMatchObject({ superseded: true });
    expect(await isHeld(newer)).toBe(true);
    await clock.advance(20_000);
    expect((await newer).superseded).toBe(false);
  });

  it('gets what others do not', async () => {
    const other = await joinRunner(wire(), { name: 'other' });
    const held = other.sync({ holdMs: 20_000 });
    expect(await isHeld(held)).toBe(true);
    await assigned();
    expect(await isHeld(held)).toBe(true);
    await clock.advance(20_000);
    expect((await held).desired).toBeUndefined();
  });

  it('is let go when the Host stops', async () => {
    const held = runner.sync({ holdMs: 20_000 });
    expect(await isHeld(held)).toBe(true);
    test.stop();
    expect((await held).desired).toBeUndefined();
  });

  it('is cut when its node is removed', async () => {
    const held = runner.send({ holdMs: 20_000 });
    expect(await isHeld(held)).toBe(true);
    expect((await test.call('DELETE', `/api/v1/nodes/${runner.node}`)).status).toBe(204);
    expect(problemOf(await held)).toMatchObject({ status: 401, code: 'unauthenticated' });
  });
});

describe('a call that its Runner dropped', () => {
  /** A held call whose connection the test can cut. */
  async function dropped(signal: AbortSignal): Promise<Response> {
    const session = await runner.beginSession();
    const digest = digestOf([]);
    const { epoch } = runner.enrolled;
    const addresses = { api: null, data: null };
    const { generation } = await runner.sync();
    const request = {
      protocol: protocolVersion,
      epoch,
      boot: runner.boot,
      seq: 1,
      appliedGeneration: generation,
      digest,
      full: false,
      changes: [],
      addresses,
      holdMs: 20_000,
    };
    const body = JSON.stringify(request);
    const path = '/api/v1/runner/sync';
    const authorization = formatSessionProof({
      session: session.session,
      seq: 9,
      mac: macOf(session, { path, body, seq: 9 }),
    });
    const headers = { authorization, 'content-type': 'application/json' };
    return test.app.fetch(new Request(`http://localhost${path}`, { method: 'POST', headers, body, signal }));
  }

  it('is held no longer, whether it went before or while it was held', async () => {
    const gone = new AbortController();
    const held = dropped(gone.signal);
    expect(await isHeld(held)).toBe(true);
    gone.abort();
    expect((await held).status).toBe(200);
    expect(await isHeld(dropped(gone.signal).catch(() => undefined))).toBe(false);
  });

  it('takes nothing from the next', async () => {
    const gone = new AbortController();
    const held = dropped(gone.signal);
    expect(await isHeld(held)).toBe(true);
    gone.abort();
    await held;
    await runner.beginSession();
    const next: Promise<SyncAnswer> = runner.sync({ holdMs: 20_000 });
    expect(await isHeld(next)).toBe(true);
    const { id } = await submit();
    await placeTasks(test.ctx);
    expect((await next).desired?.tasks.map((one) => one.task)).toEqual([id]);
  });
});
