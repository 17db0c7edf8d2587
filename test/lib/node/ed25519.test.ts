import { createPublicKey, sign, verify } from 'node:crypto';
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { calculateJwkThumbprint, importJWK, jwtVerify, SignJWT } from 'jose';
import { describe, expect, it } from 'vitest';
import { loadSigningKey, thumbprint } from '../../../src/lib/node/ed25519.ts';
import { scratchFolder } from './scratch-folder.ts';

describe('a signing key', () => {
  it('is made at the first start, 0600, and the same ever after', async () => {
    const folder = join(scratchFolder(), 'keys');
    const first = await loadSigningKey(folder, 'host');
    const second = await loadSigningKey(folder, 'host');
    expect(second.publicJwk).toEqual(first.publicJwk);
    expect(second.privateKey.equals(first.privateKey)).toBe(true);
    expect(readdirSync(folder)).toEqual(['host.pem']);
    expect(statSync(join(folder, 'host.pem')).mode & 0o777).toBe(0o600);
    expect(readFileSync(join(folder, 'host.pem'), 'utf8')).toMatch(/^-----BEGIN PRIVATE KEY-----/);
  });

  it('is another one under another name', async () => {
    const folder = scratchFolder();
    const [a, b] = [await loadSigningKey(folder, 'a'), await loadSigningKey(folder, 'b')];
    expect(a.kid).not.toBe(b.kid);
  });

  it('signs tokens that jose verifies by the public JWK, found by its kid', async () => {
    const key = await loadSigningKey(scratchFolder(), 'host');
    const token = await new SignJWT({ sub: 'u1' })
      .setProtectedHeader({ alg: 'EdDSA', kid: key.kid })
      .sign(key.privateKey);
    const { payload, protectedHeader } = await jwtVerify(token, await importJWK(key.publicJwk), {
      algorithms: ['EdDSA'],
    });
    expect(payload.sub).toBe('u1');
    expect(protectedHeader.kid).toBe(await calculateJwkThumbprint(key.publicJwk));
  });

  it('has its raw public key, from which the same key is made again', async () => {
    const key = await loadSigningKey(scratchFolder(), 'node');
    expect(Buffer.from(key.rawPublic, 'base64url')).toHaveLength(32);
    const again = createPublicKey({
      key: { kty: 'OKP', crv: 'Ed25519', x: key.rawPublic },
      format: 'jwk',
    });
    const data = Buffer.from('sync');
    expect(verify(null, data, again, sign(null, data, key.privateKey))).toBe(true);
  });

  it('has the thumbprint of RFC 8037, appendix A.3', () => {
    expect(thumbprint('11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo')).toBe(
      'kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k',
    );
  });

  it('is never replaced when its file is damaged or of another kind', async () => {
    const folder = scratchFolder();
    const file = join(folder, 'host.pem');
    const { privateKey } = (await import('node:crypto')).generateKeyPairSync('x25519');
    for (const content of ['', 'x', privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()]) {
      writeFileSync(file, content);
      await expect(loadSigningKey(folder, 'host')).rejects.toThrow(`${file} holds no usable Ed25519 key`);
      expect(readFileSync(file, 'utf8')).toBe(content);
    }
  });
});
