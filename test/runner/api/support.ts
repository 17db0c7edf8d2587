import { type CryptoKey, exportJWK, exportSPKI, generateKeyPair, type JWK, SignJWT } from 'jose';
import { nodeRandom } from '../../../src/lib/node/hashes.ts';
import { silentLogger } from '../../../src/lib/logger.ts';
import { streamAudience } from '../../../src/protocol/credential.ts';
import { createRunnerApi, type RunnerApi } from '../../../src/runner/api/runner-api.ts';
import { createLogKeeper, type LogKeeper } from '../../../src/runner/logs/log-keeper.ts';
import { hurriedClock, ref, scriptedBackend, temporaryFolder } from '../logs/support.ts';

/** The Host's clock in these tests; this machine's own says something else. */
export const hostNowMs = 2_000_000_000_000;

export interface TokenChange {
  claims?: Record<string, unknown>;
  header?: { typ?: string; kid?: string };
}

export interface ApiBench extends AsyncDisposable {
  api: RunnerApi;
  keeper: LogKeeper;
  backend: ReturnType<typeof scriptedBackend>;
  publicJwk: JWK;
  publicPem: string;
  /** A good token for attempt 1 of task 1, changed as said. */
  token(change?: TokenChange, key?: CryptoKey): Promise<string>;
  get(path: string, token: string | null, init?: RequestInit): Promise<Response>;
}

export const goodClaims = {
  sub: 'alice',
  aud: streamAudience('n1', 'boot-1'),
  purpose: 'logs',
  ...ref(1),
  exp: hostNowMs / 1000 + 60,
};
export const logsPath = `/v1/tasks/${ref(1).task}/1/logs`;

export async function createApiBench(): Promise<ApiBench> {
  const { privateKey, publicKey } = await generateKeyPair('EdDSA', { extractable: true });
  const folder = await temporaryFolder();
  const backend = scriptedBackend();
  const keeper = createLogKeeper({ dir: folder.path, clock: hurriedClock, log: silentLogger, backend });
  const publicJwk = { ...(await exportJWK(publicKey)), kid: 'k1' };
  const api = createRunnerApi({
    whole: async () => undefined,
    node: 'n1',
    boot: 'boot-1',
    hostKeys: () => [publicJwk],
    hostNow: () => hostNowMs,
    logs: keeper,
    random: nodeRandom,
    log: silentLogger,
  });
  let made = 0;
  return {
    api,
    keeper,
    backend,
    publicJwk,
    publicPem: await exportSPKI(publicKey),
    token({ claims, header } = {}, key = privateKey) {
      made += 1;
      return new SignJWT({ ...goodClaims, jti: `j${made}`, ...claims })
        .setProtectedHeader({ alg: 'EdDSA', typ: 'weir-stream', kid: 'k1', ...header })
        .sign(key);
    },
    async get(path, token, init = {}) {
      const headers = new Headers(init.headers);
      if (token !== null) headers.set('Authorization', `Bearer ${token}`);
      return api.fetch(new Request(`http://runner.test${path}`, { ...init, headers }));
    },
    async [Symbol.asyncDispose]() {
      await keeper[Symbol.asyncDispose]();
      await folder[Symbol.asyncDispose]();
    },
  };
}
