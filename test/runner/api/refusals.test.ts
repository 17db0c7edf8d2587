import { generateKeyPair, SignJWT } from 'jose';
import { createHmac } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ref } from '../logs/support.ts';
import { type ApiBench, createApiBench, goodClaims, hostNowMs, logsPath } from './support.ts';

let bench: ApiBench;
beforeAll(async () => {
  bench = await createApiBench();
  bench.backend.say('secret output\n');
  bench.backend.end();
  await bench.keeper.complete(ref(1), new AbortController().signal);
});
afterAll(() => bench[Symbol.asyncDispose]());

const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');

function unsigned(alg: string): string {
  return `${encode({ alg, typ: 'weir-stream', kid: 'k1' })}.${encode({ ...goodClaims, jti: alg })}.`;
}

function signedWithPublicKey(secret: string): string {
  const body = `${encode({ alg: 'HS256', typ: 'weir-stream', kid: 'k1' })}.${encode({ ...goodClaims, jti: 'hs' })}`;
  return `${body}.${createHmac('sha256', secret).update(body).digest('base64url')}`;
}

async function otherKey(): Promise<string> {
  const { privateKey } = await generateKeyPair('EdDSA');
  return bench.token({}, privateKey);
}

async function carriesItsKey(): Promise<string> {
  const { privateKey } = await generateKeyPair('EdDSA', { extractable: true });
  const jwk = { kty: 'OKP', crv: 'Ed25519', x: 'AAAA' };
  const header = { alg: 'EdDSA', typ: 'weir-stream', jwk, jku: 'http://evil.example/keys' };
  return new SignJWT({ ...goodClaims, jti: 'own' }).setProtectedHeader(header).sign(privateKey);
}

async function altered(): Promise<string> {
  const [header, , signature] = (await bench.token()).split('.');
  return `${header}.${encode({ ...goodClaims, jti: 'altered', sub: 'root' })}.${signature}`;
}

const refusals: Record<string, { code: string; token: () => Promise<string | null> | string | null }> = {
  'no token': { code: 'unauthenticated', token: () => null },
  'an empty token': { code: 'unauthenticated', token: () => '' },
  'no JWT': { code: 'unauthenticated', token: () => 'abc' },
  'alg none': { code: 'unauthenticated', token: () => unsigned('none') },
  'EdDSA without a signature': { code: 'unauthenticated', token: () => unsigned('EdDSA') },
  'HS256 with the public key (PEM)': { code: 'unauthenticated', token: () => signedWithPublicKey(bench.publicPem) },
  'HS256 with the public key (raw)': {
    code: 'unauthenticated',
    token: () => signedWithPublicKey(bench.publicJwk.x ?? ''),
  },
  'another key': { code: 'unauthenticated', token: otherKey },
  'a key of its own in the header': { code: 'unauthenticated', token: carriesItsKey },
  'a kid that is a path': {
    code: 'unauthenticated',
    token: () => bench.token({ header: { kid: '../../../dev/null' } }),
  },
  'altered claims': { code: 'unauthenticated', token: altered },
  'the typ of an API token': { code: 'unauthenticated', token: () => bench.token({ header: { typ: 'weir-api' } }) },
  'the typ of a node token': { code: 'unauthenticated', token: () => bench.token({ header: { typ: 'weir-node' } }) },
  'the typ JWT': { code: 'unauthenticated', token: () => bench.token({ header: { typ: 'JWT' } }) },
  'another node': { code: 'unauthenticated', token: () => bench.token({ claims: { aud: 'node:n2:boot-1' } }) },
  'an earlier start': { code: 'unauthenticated', token: () => bench.token({ claims: { aud: 'node:n1:boot-0' } }) },
  'no audience': { code: 'unauthenticated', token: () => bench.token({ claims: { aud: [] } }) },
  'expired by Host time': {
    code: 'token_expired',
    token: () => bench.token({ claims: { exp: hostNowMs / 1000 - 1 } }),
  },
  'no expiry': { code: 'unauthenticated', token: () => bench.token({ claims: { exp: null } }) },
  'an expiry in a year': {
    code: 'unauthenticated',
    token: () => bench.token({ claims: { exp: hostNowMs / 1000 + 31_536_000 } }),
  },
  'not yet valid': { code: 'unauthenticated', token: () => bench.token({ claims: { nbf: hostNowMs / 1000 + 30 } }) },
  'no jti': { code: 'unauthenticated', token: () => bench.token({ claims: { jti: null } }) },
  'another purpose': { code: 'unauthenticated', token: () => bench.token({ claims: { purpose: 'terminal' } }) },
  'another task': { code: 'forbidden', token: () => bench.token({ claims: { task: ref(2).task } }) },
  'another attempt': { code: 'forbidden', token: () => bench.token({ claims: { attempt: 2 } }) },
  'a replayed jti': {
    code: 'replayed',
    token: async () => {
      const token = await bench.token();
      await (await bench.get(logsPath, token)).body?.cancel();
      return token;
    },
  },
};

const concrete = (path: string): string => path.replace(':task', ref(1).task).replace(':attempt', '1');

describe("the Runner's API", () => {
  it('has one route that is open to anybody, and it tells nothing', async () => {
    const open = bench.api.routes.filter(({ who }) => who === 'anybody').map(({ path }) => path);
    expect(open).toEqual(['/healthz']);
    expect(await (await bench.get('/healthz', null)).json()).toEqual({ status: 'ok' });
  });

  it('refuses every other route, whatever is wrong with the token', async () => {
    const guarded = bench.api.routes.filter(({ who }) => who !== 'anybody');
    expect(guarded.length).toBeGreaterThan(0);
    for (const { method, path } of guarded) {
      const good = await bench.get(concrete(path), await bench.token(), { method });
      expect([path, good.status]).toEqual([path, 200]);
      for (const [what, { code, token }] of Object.entries(refusals)) {
        const response = await bench.get(concrete(path), await token(), { method });
        const problem = await response.json();
        expect([what, problem.code, problem.type]).toEqual([what, code, `urn:weir:error:${code}`]);
        expect(response.headers.get('content-type')).toBe('application/problem+json');
        expect(response.status).toBe(code === 'forbidden' ? 403 : 401);
        expect(JSON.stringify(problem)).not.toContain('secret output');
      }
    }
  });

  it('does not let a refused request use up a token', async () => {
    const token = await bench.token();
    expect((await bench.get(`/v1/tasks/${ref(1).task}/2/logs`, token)).status).toBe(403);
    expect((await bench.get(logsPath, token)).status).toBe(200);
  });

  it('opens one session only for a token that comes twice at once', async () => {
    const token = await bench.token();
    const both = await Promise.all([bench.get(logsPath, token), bench.get(logsPath, token)]);
    expect(both.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 401]);
  });

  it('takes no spelling of a path for another one', async () => {
    const { task } = ref(1);
    for (const path of [
      `//v1/tasks/${task}/1/logs`,
      `/v1/tasks/${task}/1/logs/`,
      `/v1/tasks/${task}%2F1/logs`,
      `/v1/tasks/${task}/01/logs`,
      `/v1/tasks/${task}/1%2Flogs`,
      `/v1/tasks/..%2F${task}/1/logs`,
      `/v1/tasks/${task}/1/LOGS`,
      `/V1/tasks/${task}/1/logs`,
    ]) {
      expect([path, (await bench.get(path, await bench.token())).status]).not.toEqual([path, 200]);
    }
  });

  it('says which methods there are', async () => {
    for (const method of ['POST', 'PUT', 'DELETE', 'PATCH']) {
      const response = await bench.get(logsPath, await bench.token(), { method });
      expect(response.status).toBe(405);
      expect(response.headers.get('allow')).toBe('GET');
    }
  });

  it('takes keys as they are when the request comes', async () => {
    const { x } = bench.publicJwk;
    Object.assign(bench.publicJwk, { x: 'A'.repeat(43) });
    expect((await bench.get(logsPath, await bench.token())).status).toBe(401);
    Object.assign(bench.publicJwk, { x });
    expect((await bench.get(logsPath, await bench.token())).status).toBe(200);
  });
});
