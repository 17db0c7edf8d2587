import { generateKeyPairSync } from 'node:crypto';
import { eq } from 'drizzle-orm';
import { SignJWT, UnsecuredJWT, base64url } from 'jose';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createJoinToken } from '../../../src/host/nodes/enrol.ts';
import { credentials } from '../../../src/host/store/schema.ts';
import type { ProblemCode } from '../../../src/protocol/problem.ts';
import { problemOf } from '../../support/calls.ts';
import { openTestContext, type TestContext } from '../../support/host-context.ts';
import { createManualClock, type ManualClock } from '../../support/manual-clock.ts';

let clock: ManualClock;
let test: TestContext;
beforeEach(async () => {
  clock = createManualClock();
  test = await openTestContext({ clock });
});
afterEach(() => test[Symbol.asyncDispose]());

async function refused(token: string): Promise<ProblemCode> {
  const answer = await test.call('GET', '/api/v1/whoami', undefined, { authorization: `Bearer ${token}` });
  expect(answer.status).toBe(401);
  if (token.length > 3) expect(answer.text).not.toContain(token);
  return problemOf(answer).code;
}

/** The parts of a token that is good. */
function partsOf(token: string): { header: Record<string, unknown>; claims: Record<string, unknown> } {
  const [header = '', claims = ''] = token.split('.');
  const decode = (part: string): Record<string, unknown> =>
    JSON.parse(new TextDecoder().decode(base64url.decode(part))) as Record<string, unknown>;
  return { header: decode(header), claims: decode(claims) };
}

function signed(
  claims: Record<string, unknown>,
  header: Record<string, unknown>,
  key: unknown = test.signingKey.privateKey,
): Promise<string> {
  return new SignJWT(claims).setProtectedHeader(header as { alg: string }).sign(key as Uint8Array);
}

describe('a token is refused', () => {
  it.each(['', 'x', 'a.b.c', 'eyJhbGciOiJub25lIn0.e30.', `${'a'.repeat(5000)}.b.c`])(
    'that is junk: %#',
    async (token) => {
      expect(await refused(token)).toBe('unauthenticated');
    },
  );

  it('in another scheme', async () => {
    const answer = await test.call('GET', '/api/v1/whoami', undefined, { authorization: `Basic ${test.token}` });
    expect(problemOf(answer).code).toBe('unauthenticated');
  });

  it('with the algorithm "none"', async () => {
    expect(await refused(new UnsecuredJWT(partsOf(test.token).claims).encode())).toBe('unauthenticated');
    const { header, claims } = partsOf(test.token);
    const bare = (value: object): string => base64url.encode(JSON.stringify(value));
    const good = test.token.split('.')[2] ?? '';
    expect(await refused(`${bare({ ...header, alg: 'none' })}.${bare(claims)}.${good}`)).toBe('unauthenticated');
  });

  it('with an HMAC under the public key', async () => {
    const { header, claims } = partsOf(test.token);
    const pem = test.signingKey.publicKey.export({ type: 'spki', format: 'pem' });
    const raw = base64url.decode(test.signingKey.rawPublic);
    for (const secret of [new TextEncoder().encode(String(pem)), raw]) {
      expect(await refused(await signed(claims, { ...header, alg: 'HS256' }, secret))).toBe('unauthenticated');
    }
  });

  it('with a key that it brings along', async () => {
    const { publicKey, privateKey } = generateKeyPairSync('ed25519');
    const { header, claims } = partsOf(test.token);
    const jwk = publicKey.export({ format: 'jwk' });
    for (const more of [{ jwk }, { jku: 'http://127.0.0.1:1/keys' }, { kid: '../../../../dev/null' }, {}]) {
      expect(await refused(await signed(claims, { ...header, ...more }, privateKey))).toBe('unauthenticated');
    }
  });

  it('with a changed claim', async () => {
    const [header = '', , signature = ''] = test.token.split('.');
    const claims = base64url.encode(JSON.stringify({ ...partsOf(test.token).claims, sub: 'root' }));
    expect(await refused(`${header}.${claims}.${signature}`)).toBe('unauthenticated');
  });

  it.each(['weir-join', 'weir-stream', 'weir-node', 'weir-session', 'JWT', undefined])(
    'of the type %s',
    async (typ) => {
      const { header, claims } = partsOf(test.token);
      const { typ: _own, ...rest } = header;
      expect(await refused(await signed(claims, typ === undefined ? rest : { ...rest, typ }))).toBe('unauthenticated');
    },
  );

  it('that is a join token', async () => {
    const { token } = await createJoinToken(test.ctx, { expiresMs: 60_000, name: undefined, by: 'admin' });
    expect(await refused(token)).toBe('unauthenticated');
  });

  it.each([
    { aud: 'node:n1' },
    { aud: undefined },
    { iss: 'somebody' },
    { nbf: 4_000_000_000 },
    { jti: 'another' },
    { jti: undefined },
  ])('with the claims %o', async (other) => {
    const { header, claims } = partsOf(test.token);
    const made = await signed(JSON.parse(JSON.stringify({ ...claims, ...other })) as Record<string, unknown>, header);
    expect(['unauthenticated', 'token_revoked']).toContain(await refused(made));
  });

  it('once it has expired, also when it was good before', async () => {
    const token = await test.issue({ expiresMs: clock.now() + 60_000 });
    expect((await test.callAs(token)('GET', '/api/v1/whoami')).status).toBe(200);
    await clock.advance(61_000);
    expect(await refused(token)).toBe('token_expired');
    expect(await refused(token)).toBe('token_expired');
  });

  it('at once when its row is revoked or gone', async () => {
    const token = await test.issue({ subject: 'ada' });
    const gone = await test.issue({ subject: 'bob' });
    expect((await test.callAs(token)('GET', '/api/v1/whoami')).body).toMatchObject({ subject: 'ada' });
    await test.ctx.writes.run(async (tx) => {
      await tx.update(credentials).set({ revokedMs: clock.now() }).where(eq(credentials.subject, 'ada'));
      await tx.delete(credentials).where(eq(credentials.subject, 'bob'));
    });
    expect(await refused(token)).toBe('token_revoked');
    expect(await refused(gone)).toBe('token_revoked');
  });
});

describe('a token', () => {
  it('may do no more than its row says, whatever its claims say', async () => {
    const token = await test.issue({ subject: 'ada', scopes: ['tasks:read', 'tasks:write'] });
    await test.ctx.writes.run((tx) =>
      tx
        .update(credentials)
        .set({ scopes: ['tasks:read'] })
        .where(eq(credentials.subject, 'ada')),
    );
    expect((await test.callAs(token)('GET', '/api/v1/whoami')).body).toMatchObject({ scopes: ['tasks:read'] });
    expect((await test.callAs(token)('POST', '/api/v1/tasks', {})).status).toBe(403);
  });

  it('is stored nowhere, nor is its number', async () => {
    const rows = JSON.stringify(await test.ctx.db.select().from(credentials));
    expect(rows).not.toContain(test.token);
    expect(rows).not.toContain(partsOf(test.token).claims['jti']);
  });

  it('is taken with the scheme in any case', async () => {
    const answer = await test.call('GET', '/api/v1/whoami', undefined, { authorization: `bearer ${test.token}` });
    expect(answer.status).toBe(200);
  });
});
