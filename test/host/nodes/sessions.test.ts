import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { generateKeyPairSync } from 'node:crypto';
import { nodes } from '../../../src/host/store/schema.ts';
import { hostTimeHeader, protocolVersion } from '../../../src/protocol/version.ts';
import { problemOf } from '../../support/calls.ts';
import { openTestContext, type TestContext } from '../../support/host-context.ts';
import { createManualClock, type ManualClock } from '../../support/manual-clock.ts';
import { joinRunner, macOf, type WireRunner } from '../../support/runner-wire.ts';

const hourMs = 3_600_000;
let clock: ManualClock;
let test: TestContext;
let runner: WireRunner;
beforeEach(async () => {
  clock = createManualClock();
  test = await openTestContext({ clock });
  await clock.advance(hourMs);
  runner = await joinRunner({ call: test.call, now: clock.now });
});
afterEach(() => test[Symbol.asyncDispose]());

const prove = (proof: string) =>
  test.call('POST', '/api/v1/runner/session', undefined, { authorization: `Bearer ${proof}` });
const generations = async () => JSON.stringify(await test.ctx.db.select().from(nodes));

describe('a proof of the key', () => {
  it('opens one session', async () => {
    const proof = await runner.proof();
    expect((await prove(proof)).status).toBe(201);
    expect(problemOf(await prove(proof)).code).toBe('replayed');
  });

  it('opens one session also when it is sent twice at once', async () => {
    const proof = await runner.proof();
    const answers = await Promise.all([prove(proof), prove(proof)]);
    expect(answers.map((answer) => answer.status).toSorted((a, b) => a - b)).toEqual([201, 401]);
  });

  it.each([-hourMs, hourMs, -70_000, 70_000])(
    "made %i ms beside the Host's time is refused with the Host's time, by which it is made anew",
    async (offMs) => {
      const answer = await prove(await runner.proof({ nowMs: clock.now() + offMs }));
      expect(problemOf(answer).code).toBe('token_expired');
      const told = Number(answer.headers.get(hostTimeHeader));
      expect(told).toBe(clock.now());
      expect((await prove(await runner.proof({ nowMs: told }))).status).toBe(201);
    },
  );

  it('may live no longer than a minute, whatever it says', async () => {
    const proof = await runner.proof({ claims: { exp: Math.floor(clock.now() / 1000) + 86_400 } });
    await clock.advance(66_000);
    expect(problemOf(await prove(proof)).code).toBe('token_expired');
  });

  it.each([
    ['another key', async () => runner.proof({ key: generateKeyPairSync('ed25519').privateKey })],
    ['another node', async () => runner.proof({ claims: { sub: 'n99' } })],
    ['no node', async () => runner.proof({ claims: { sub: '' } })],
    ['another cluster', async () => runner.proof({ claims: { aud: 'another' } })],
    ['another type', async () => runner.proof({ header: { typ: 'weir-api' } })],
    ['no number', async () => runner.proof({ claims: { jti: 5 as never } })],
    [
      'a key id with a path',
      async () => runner.proof({ header: { kid: '../../x' }, key: generateKeyPairSync('ed25519').privateKey }),
    ],
    ['no age', async () => runner.proof({ claims: { iat: undefined as never } })],
    ['an API token', async () => test.token],
    ['junk', async () => 'a.b.c'],
  ])('with %s is refused', async (_what, made) => {
    expect(problemOf(await prove(await made())).code).toBe('unauthenticated');
  });

  it("of another node by this one's key is refused", async () => {
    const other = await joinRunner({ call: test.call, now: clock.now }, { name: 'other' });
    expect(problemOf(await prove(await runner.proof({ claims: { sub: other.node } }))).code).toBe('unauthenticated');
  });

  it('of a removed node is refused', async () => {
    await test.call('DELETE', `/api/v1/nodes/${runner.node}`);
    expect(problemOf(await prove(await runner.proof())).code).toBe('unauthenticated');
  });

  it("from before this Host's start is refused, since the one before it may have taken it", async () => {
    const begun = createManualClock(clock.now());
    await using young = await openTestContext({ clock: begun });
    const fresh = await joinRunner({ call: young.call, now: begun.now });
    const proof = await fresh.proof({ nowMs: begun.now() - 2000 });
    const answer = await young.call('POST', '/api/v1/runner/session', undefined, { authorization: `Bearer ${proof}` });
    expect(problemOf(answer).code).toBe('token_expired');
  });
});

describe('a request under a session', () => {
  it('that is sent again is refused and does nothing', async () => {
    await runner.send({ boot: 'boot-one' }, { seq: 7 });
    const before = await generations();
    expect(problemOf(await runner.send({ boot: 'boot-two' }, { seq: 7 })).code).toBe('replayed');
    expect(problemOf(await runner.send({ boot: 'boot-two' }, { seq: 6 })).code).toBe('replayed');
    expect(await generations()).toBe(before);
  });

  it('with an altered body is refused and does nothing', async () => {
    const before = await generations();
    const body = JSON.stringify({ protocol: protocolVersion, boot: 'another-boot' });
    expect(problemOf(await runner.send({}, { body })).code).toBe('unauthenticated');
    expect(await generations()).toBe(before);
  });

  it('with another MAC, or one of another path, number or session, is refused', async () => {
    const session = await runner.beginSession();
    const body = '{}';
    const path = '/api/v1/runner/sync';
    const other = await (await joinRunner({ call: test.call, now: clock.now }, { name: 'other' })).beginSession();
    const macs = [
      'A'.repeat(43),
      macOf(session, { path: '/api/v1/runner/other', body, seq: 50 }),
      macOf(session, { path, body, seq: 49 }),
      macOf(other, { path, body, seq: 50 }),
    ];
    for (const mac of macs) {
      expect(problemOf(await runner.send({}, { session, body, mac, seq: 50 })).code).toBe('unauthenticated');
    }
    const good = await runner.send({}, { session, body, mac: macOf(session, { path, body, seq: 50 }), seq: 50 });
    expect(problemOf(good).code).toBe('invalid_field');
  });

  it('does not use up a number when it was not made with the key', async () => {
    const session = await runner.beginSession();
    await runner.send({}, { session, mac: 'A'.repeat(43), seq: 100_000 });
    expect((await runner.send({}, { session, seq: 3 })).status).toBe(200);
  });

  it('is refused when its session is over, unknown, or of a removed node', async () => {
    const session = await runner.beginSession();
    await clock.advance(600_001);
    expect(problemOf(await runner.send({}, { session })).status).toBe(401);
    expect(problemOf(await runner.send({}, { session: { ...session, session: 'unknown' } })).code).toBe(
      'unauthenticated',
    );
    const fresh = await runner.beginSession();
    await test.call('DELETE', `/api/v1/nodes/${runner.node}`);
    expect(problemOf(await runner.send({}, { session: fresh })).code).toBe('unauthenticated');
  });

  it('is refused before its body is read when there is no such session', async () => {
    let read = 0;
    const body = new ReadableStream<Uint8Array>({
      pull(controller) {
        read += 1;
        controller.enqueue(new Uint8Array(65_536).fill(32));
        if (read > 500) controller.close();
      },
    });
    const headers = {
      authorization: `Weir session="none", seq="0", mac="${'A'.repeat(43)}"`,
      'content-type': 'application/json',
    };
    const init = { method: 'POST', headers, body, duplex: 'half' };
    const response = await test.app.fetch(new Request('http://localhost/api/v1/runner/sync', init));
    expect(response.status).toBe(401);
    expect(read).toBeLessThan(10);
  });

  it.each([
    '',
    'Bearer x',
    'Weir session="a"',
    'Weir session="a", seq="-1", mac="b"',
    `Weir session="a", seq="1e3", mac="${'A'.repeat(43)}"`,
  ])('with the header %s is refused', async (authorization) => {
    expect(problemOf(await test.call('POST', '/api/v1/runner/sync', {}, { authorization })).code).toBe(
      'unauthenticated',
    );
  });

  it('of another major version is refused with the two versions', async () => {
    const problem = problemOf(await runner.send({ protocol: { major: protocolVersion.major + 1, minor: 0 } }));
    expect(problem).toMatchObject({ status: 422, code: 'protocol_unsupported' });
    expect(problem.detail).toMatch(/protocol 1, the Runner 2/);
  });

  it('of a newer minor version, with fields that are not known here, is taken', async () => {
    const more = { protocol: { major: protocolVersion.major, minor: 99 }, moods: ['new'] };
    expect((await runner.send(more)).status).toBe(200);
  });
});
