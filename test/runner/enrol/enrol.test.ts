import { statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { jwtVerify } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadSigningKey } from '../../../src/lib/node/ed25519.ts';
import { nodeRandom } from '../../../src/lib/node/hashes.ts';
import { enrol, pinOfJoinToken, type Joining } from '../../../src/runner/enrol/enrol.ts';
import {
  createHostKeyBook,
  loadMacKey,
  loadNodeKey,
  readNodeFile,
  signProof,
} from '../../../src/runner/enrol/identity.ts';
import { scratchFolder } from '../../lib/node/scratch-folder.ts';
import { testFolder } from '../../support/database.ts';
import { openHost, type HostOnDisk } from '../../support/host-on-disk.ts';
import { rmSync } from 'node:fs';

const { signal } = new AbortController();
const hostFolder = testFolder();
let on: HostOnDisk;

beforeAll(async () => {
  on = await openHost(hostFolder);
});
afterAll(async () => {
  await on[Symbol.asyncDispose]();
  rmSync(hostFolder, { recursive: true, force: true });
});

async function joining(change: Partial<Joining> = {}): Promise<Joining> {
  const folder = scratchFolder();
  const { token } = await on.host().createJoinToken();
  const key = await loadSigningKey(folder, 'node');
  return {
    host: on.url,
    token,
    name: 'node',
    machineId: 'm1',
    labels: { rack: '4' },
    key,
    tlsPin: null,
    folder,
    ...change,
  };
}

describe('a machine that joins', () => {
  it('becomes a node, and its folder says which', async () => {
    const how = await joining({ name: 'first' });
    const file = await enrol(how, fetch, signal);
    expect(file).toMatchObject({ name: 'first', host: on.url, pin: null });
    expect(await readNodeFile(how.folder)).toEqual(file);
    expect(await on.api.get(`/nodes/${file.node}`)).toMatchObject({ name: 'first', labels: { rack: '4' } });
  });

  it('cannot use a token that was used', async () => {
    const first = await joining();
    await enrol(first, fetch, signal);
    const second = await joining({ token: first.token });
    await expect(enrol(second, fetch, signal)).rejects.toThrow(/join_token_invalid.*weir node join-token/);
    expect(await readNodeFile(second.folder)).toBeNull();
  });

  it('makes one node of one token that two use at once', async () => {
    const [a, b] = [await joining({ name: 'twin' }), await joining({ name: 'twin' })];
    const results = await Promise.allSettled([enrol(a, fetch, signal), enrol({ ...b, token: a.token }, fetch, signal)]);
    expect(results.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
  });

  it('never takes over a node whose name it has', async () => {
    const [a, b] = [await joining({ name: 'same' }), await joining({ name: 'same' })];
    const [one, other] = [await enrol(a, fetch, signal), await enrol(b, fetch, signal)];
    expect(other.node).not.toBe(one.node);
    expect(other.name).toBe('same-2');
  });

  it('is told when what it has is no join token', () => {
    expect(() => pinOfJoinToken('hello')).toThrow('this is not a join token');
  });
});

describe('the folder of a node', () => {
  it('holds its key and the secret of its labels, for nobody else to read, and the same every time', async () => {
    const folder = scratchFolder();
    const [key, mac] = [await loadNodeKey(folder), await loadMacKey(folder, nodeRandom)];
    expect((await loadNodeKey(folder)).rawPublic).toBe(key.rawPublic);
    expect(Buffer.from(await loadMacKey(folder, nodeRandom))).toEqual(Buffer.from(mac));
    expect(mac.length).toBe(32);
    expect(statSync(join(folder, 'mac.key')).mode & 0o777).toBe(0o600);
  });

  it('is refused when its node.json is damaged, rather than joined anew', async () => {
    const folder = scratchFolder();
    writeFileSync(join(folder, 'node.json'), '{"node": "nope"}');
    await expect(readNodeFile(folder)).rejects.toThrow('is damaged');
  });

  it('keeps the keys that the Host told, over a restart', async () => {
    const how = await joining();
    const file = await enrol(how, fetch, signal);
    const book = createHostKeyBook(how.folder, file);
    const keys = [{ kty: 'OKP', crv: 'Ed25519', x: 'AAAA', kid: 'next' }];
    await book.learn(keys);
    expect(book.keys()).toEqual(keys);
    expect((await readNodeFile(how.folder))?.hostKeys).toEqual(keys);
  });
});

describe('a proof of a node', () => {
  it("is of its key, for its cluster, for a minute of the Host's time, and never the same", async () => {
    const how = await joining();
    const file = await enrol(how, fetch, signal);
    const nowMs = 2_000_000_000_000;
    const [one, other] = await Promise.all([1, 2].map(() => signProof(how.key, file, { nowMs, random: nodeRandom })));
    expect(one).not.toBe(other);
    const { payload } = await jwtVerify(one ?? '', how.key.publicKey, {
      subject: file.node,
      audience: file.cluster,
      typ: 'weir-node',
      currentDate: new Date(nowMs),
    });
    expect((payload.exp ?? 0) * 1000).toBe(nowMs + 60_000);
  });
});
