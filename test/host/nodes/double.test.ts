import { describe, expect, it } from 'vitest';
import { problemOf } from '../../support/calls.ts';
import { openTestContext } from '../../support/host-context.ts';
import { joinRunner } from '../../support/runner-wire.ts';

const node = async (test: Awaited<ReturnType<typeof openTestContext>>) =>
  (await test.call('GET', '/api/v1/nodes/one')).body;

describe('two machines with one key', () => {
  it('are both refused until an operator decides', async () => {
    await using test = await openTestContext();
    const runner = await joinRunner(test, { name: 'one' });
    const copy = { boot: 'the-boot-of-a-copy' };
    expect((await runner.send({ holdMs: 0, ...copy })).status).toBe(200);
    const back = await runner.send({ holdMs: 0 });
    expect(problemOf(back)).toMatchObject({ status: 403, detail: expect.stringContaining('held') });
    expect((await runner.send({ holdMs: 0, ...copy })).status).toBe(403);
    expect(await node(test)).toMatchObject({ held: { reason: expect.stringContaining('copied') } });
    expect((await test.call('POST', '/api/v1/nodes/one/release')).status).toBe(200);
    expect((await runner.send({ holdMs: 0 })).status).toBe(200);
    expect(problemOf(await test.call('POST', '/api/v1/nodes/one/release'))).toMatchObject({ status: 409 });
  });

  it('are told apart by their machine id too', async () => {
    await using test = await openTestContext();
    const runner = await joinRunner(test, { name: 'one' });
    const other = { ...runner.capacity, machineId: 'another-machine' };
    expect((await runner.send({ holdMs: 0, capacity: other })).status).toBe(403);
    expect(await node(test)).toMatchObject({ held: { reason: expect.stringContaining('another machine') } });
  });

  it('a restarted Runner is none', async () => {
    await using test = await openTestContext();
    const runner = await joinRunner(test, { name: 'one' });
    for (const boot of ['second-boot', 'third-boot', 'fourth-boot'])
      expect((await runner.send({ holdMs: 0, boot })).status).toBe(200);
  });
});
