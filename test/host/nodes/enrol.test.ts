import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { credentials, nodes } from '../../../src/host/store/schema.ts';
import { protocolVersion } from '../../../src/protocol/version.ts';
import { problemOf } from '../../support/calls.ts';
import { openTestContext, type TestContext } from '../../support/host-context.ts';
import { createManualClock, type ManualClock } from '../../support/manual-clock.ts';
import { enrolWith, joinRunner, joinToken, type Wire } from '../../support/runner-wire.ts';

let clock: ManualClock;
let test: TestContext;
let wire: Wire;
beforeEach(async () => {
  clock = createManualClock();
  test = await openTestContext({ clock });
  wire = { call: test.call, now: clock.now };
});
afterEach(() => test[Symbol.asyncDispose]());

const count = async (): Promise<number> => (await test.ctx.db.select().from(nodes)).length;

describe('a join token', () => {
  it("makes one node, which knows the cluster, the Host's keys and its time", async () => {
    const answer = await enrolWith(wire, await joinToken(wire), { name: 'gpu-box', labels: { rack: 'a' } });
    expect(answer.status).toBe(201);
    expect(answer.body).toMatchObject({
      node: 'n1',
      name: 'gpu-box',
      cluster: 'test-cluster',
      epoch: 1,
      hostTime: clock.now(),
    });
    expect(answer.body).toMatchObject({ hostKeys: [{ kty: 'OKP', x: test.signingKey.rawPublic }] });
    expect(answer.text).not.toContain('"d"');
  });

  it('that was used is refused', async () => {
    const token = await joinToken(wire);
    expect((await enrolWith(wire, token)).status).toBe(201);
    expect(problemOf(await enrolWith(wire, token))).toMatchObject({ status: 401, code: 'join_token_invalid' });
    expect(await count()).toBe(1);
  });

  it('that two use at once makes one node', async () => {
    const token = await joinToken(wire);
    const answers = await Promise.all([enrolWith(wire, token), enrolWith(wire, token), enrolWith(wire, token)]);
    expect(answers.map((answer) => answer.status).toSorted((a, b) => a - b)).toEqual([201, 401, 401]);
    expect(await count()).toBe(1);
  });

  it('expires after an hour, or when it was told to', async () => {
    const usual = await joinToken(wire);
    const short = await joinToken(wire, { expires: '10s' });
    await clock.advance(11_000);
    expect(problemOf(await enrolWith(wire, short)).detail).toContain('expired');
    await clock.advance(3_600_000);
    expect(problemOf(await enrolWith(wire, usual)).code).toBe('join_token_invalid');
    expect(await count()).toBe(0);
  });

  it.each([
    ['an API token', async () => test.token],
    ['junk', async () => 'a.b.c'],
    [
      'a token of a Host that is not this one',
      async () => {
        await using other = await openTestContext({ clock });
        return await joinToken({ call: other.call });
      },
    ],
  ])('that is %s is refused', async (_what, made) => {
    expect(problemOf(await enrolWith(wire, await made())).code).toBe('join_token_invalid');
    expect(await count()).toBe(0);
  });

  it('that was revoked is refused', async () => {
    const token = await joinToken(wire);
    await test.ctx.db.update(credentials).set({ revokedMs: clock.now() });
    await expect(enrolWith(wire, token)).resolves.toMatchObject({ status: 401 });
  });

  it('is not used up by a request that is refused', async () => {
    const token = await joinToken(wire);
    const bad = [
      { publicKey: 'short' },
      { name: '../x' },
      { surprise: 1 },
      { labels: { 'weir.x': 'y' } },
      { machineId: `a${String.fromCharCode(0)}` },
      { protocol: { major: protocolVersion.major + 1, minor: 0 } },
    ];
    for (const more of bad) expect((await enrolWith(wire, token, more)).status).toBeLessThan(423);
    expect(await count()).toBe(0);
    expect((await enrolWith(wire, token)).status).toBe(201);
  });

  it('may name the node, whatever the Runner says', async () => {
    const answer = await enrolWith(wire, await joinToken(wire, { name: 'chosen' }), { name: 'other' });
    expect(answer.body).toMatchObject({ name: 'chosen' });
  });

  it('is told to nobody afterwards', async () => {
    const token = await joinToken(wire);
    const rows = JSON.stringify(await test.ctx.db.select().from(credentials));
    expect(rows).not.toContain(token.split('.')[1]);
  });
});

describe('a name', () => {
  it('in use gets a number; nobody is taken over', async () => {
    const made = [];
    for (let turn = 0; turn < 3; turn += 1) made.push(await joinRunner(wire, { name: 'box' }));
    expect(made.map((runner) => runner.name)).toEqual(['box', 'box-2', 'box-3']);
    expect(new Set(made.map((runner) => runner.node)).size).toBe(3);
    for (const runner of made) expect((await runner.sync()).superseded).toBe(false);
  });

  it('in use also gets one when both come at once and when it is as long as may be', async () => {
    const tokens = [await joinToken(wire), await joinToken(wire)];
    const name = 'a'.repeat(63);
    const answers = await Promise.all(tokens.map((token) => enrolWith(wire, token, { name })));
    expect(new Set(answers.map((answer) => (answer.body as { name: string }).name)).size).toBe(2);
  });

  it('of a removed node is free again, its id is not', async () => {
    const first = await joinRunner(wire, { name: 'box' });
    await test.call('DELETE', '/api/v1/nodes/box');
    const second = await joinRunner(wire, { name: 'box' });
    expect(second.name).toBe('box');
    expect(second.node).not.toBe(first.node);
  });

  it('that is the id of another node does not stand for that node', async () => {
    const first = await joinRunner(wire, { name: 'n2' });
    const second = await joinRunner(wire, { name: 'n1' });
    expect([first.node, second.node]).toEqual(['n1', 'n2']);
    for (const { node } of [first, second]) {
      expect((await test.call('POST', `/api/v1/nodes/${node}/drain`, {})).body).toMatchObject({ id: node });
    }
  });
});
