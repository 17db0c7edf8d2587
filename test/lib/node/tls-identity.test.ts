import { execFileSync, spawn } from 'node:child_process';
import { createHash, generateKeyPairSync, X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { selfSignedCertificate } from '../../../src/lib/node/certificate.ts';
import { nodeRandom } from '../../../src/lib/node/hashes.ts';
import { loadTlsIdentity, pinOf } from '../../../src/lib/node/tls-identity.ts';
import { scratchFolder } from './scratch-folder.ts';

const now = Date.UTC(2026, 10, 23, 12);
const wanted = { commonName: 'weir host', now };

describe('the TLS identity', () => {
  it('is made at the first start and the same ever after', async () => {
    const folder = join(scratchFolder(), 'keys');
    const first = await loadTlsIdentity(folder, wanted);
    const second = await loadTlsIdentity(folder, { commonName: 'other', now: now + 1e9 });
    expect(second).toEqual(first);
  });

  it('lies in one file that only its owner reads', async () => {
    const folder = join(scratchFolder(), 'keys');
    await loadTlsIdentity(folder, wanted);
    expect(readdirSync(folder)).toEqual(['tls.pem']);
    expect(statSync(join(folder, 'tls.pem')).mode & 0o777).toBe(0o600);
    expect(statSync(folder).mode & 0o777).toBe(0o700);
  });

  it('has the pin that openssl computes of its public key', async () => {
    const folder = scratchFolder();
    const { pin } = await loadTlsIdentity(folder, wanted);
    const file = join(folder, 'tls.pem');
    const spki = execFileSync('sh', [
      '-c',
      `openssl x509 -in ${file} -noout -pubkey | openssl pkey -pubin -outform der`,
    ]);
    expect(pin).toBe(createHash('sha256').update(spki).digest('base64url'));
  });

  it('passes the strict check of openssl as a TLS server', async () => {
    const folder = scratchFolder();
    await loadTlsIdentity(folder, { ...wanted, names: ['host.lab'], now: Date.now() });
    const file = join(folder, 'tls.pem');
    const check = [
      'verify',
      '-x509_strict',
      '-purpose',
      'sslserver',
      '-verify_hostname',
      'host.lab',
      '-CAfile',
      file,
      file,
    ];
    expect(execFileSync('openssl', check, { encoding: 'utf8' })).toContain('OK');
  });

  it('is valid for twenty years, for loopback and for the names given', async () => {
    const identity = await loadTlsIdentity(scratchFolder(), {
      ...wanted,
      names: ['weir.lab', 'bücher.example', '10.0.0.7', 'fd00::7'],
    });
    const certificate = new X509Certificate(identity.certPem);
    expect(new Date(certificate.validFrom).getTime()).toBe(now - 86_400_000);
    expect(new Date(certificate.validTo).getUTCFullYear()).toBe(2046);
    for (const name of ['localhost', 'weir.lab', 'xn--bcher-kva.example']) {
      expect(certificate.checkHost(name)).toBe(name);
    }
    for (const address of ['127.0.0.1', '::1', '10.0.0.7', 'fd00::7']) {
      expect(certificate.checkIP(address)).toBe(address);
    }
    expect(certificate.checkHost('evil.example')).toBeUndefined();
    expect(certificate.ca).toBe(false);
    expect(certificate.subject).toBe('CN=weir host');
  });

  it('refuses a name that is none', async () => {
    const folder = scratchFolder();
    await expect(loadTlsIdentity(folder, { ...wanted, names: ['a b'] })).rejects.toThrow('"a b" is neither');
    expect(readdirSync(folder)).toEqual([]);
  });

  it('is never replaced when its file is damaged or not a pair', async () => {
    const folder = scratchFolder();
    const file = join(folder, 'tls.pem');
    const { certPem } = await loadTlsIdentity(folder, wanted);
    const stranger = generateKeyPairSync('ec', { namedCurve: 'prime256v1' }).privateKey;
    const pair = `${certPem}${stranger.export({ type: 'pkcs8', format: 'pem' }).toString()}`;
    for (const content of ['', certPem, readFileSync(file, 'utf8').slice(0, -60), pair]) {
      writeFileSync(file, content);
      await expect(loadTlsIdentity(folder, wanted)).rejects.toThrow(`${file} holds no usable TLS key`);
      expect(readFileSync(file, 'utf8')).toBe(content);
    }
  });

  it('is whole or absent after kill -9 at any moment', async () => {
    const folder = scratchFolder();
    const maker = spawn(process.execPath, [
      '--import',
      'tsx',
      fileURLToPath(new URL('identity-maker.ts', import.meta.url)),
      folder,
    ]);
    let made = 0;
    maker.stdout.setEncoding('utf8').on('data', (text: string) => {
      made += text.length;
      if (made >= 40) maker.kill('SIGKILL');
    });
    await once(maker, 'close');
    const folders = readdirSync(folder).map((name) => join(folder, name));
    expect(folders.length).toBeGreaterThanOrEqual(40);
    for (const each of folders) {
      const before = existsSync(join(each, 'tls.pem')) ? readFileSync(join(each, 'tls.pem'), 'utf8') : null;
      const { certPem } = await loadTlsIdentity(each, wanted);
      if (before !== null) expect(before).toContain(certPem);
    }
  }, 20_000);
});

describe('a self-signed certificate', () => {
  const key = generateKeyPairSync('ec', { namedCurve: 'prime256v1' }).privateKey;
  const certify = (names: string[], notAfterMs = now + 1000): X509Certificate =>
    new X509Certificate(
      selfSignedCertificate({
        key,
        commonName: 'x'.repeat(80),
        names,
        serial: nodeRandom.bytes(16),
        notBeforeMs: now,
        notAfterMs,
      }),
    );

  it('names every IP address that it is made for', () => {
    fc.assert(
      fc.property(fc.oneof(fc.ipV4(), fc.ipV6()), (address) => {
        expect(certify([address]).checkIP(address)).toBe(address);
      }),
    );
  });

  it('is signed by its own key, whatever the serial number', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 16, maxLength: 16 }), (serial) => {
        const pem = selfSignedCertificate({
          key,
          commonName: 'a',
          names: ['a'],
          serial,
          notBeforeMs: now,
          notAfterMs: now + 1,
        });
        const certificate = new X509Certificate(pem);
        expect(certificate.verify(certificate.publicKey)).toBe(true);
        expect(BigInt(`0x${certificate.serialNumber}`)).toBe(BigInt(`0x${Buffer.from(serial).toString('hex')}`));
        expect(pinOf(certificate.publicKey)).toHaveLength(43);
      }),
      { numRuns: 50 },
    );
  });

  it('may end after 2050', () => {
    const end = Date.UTC(2061, 3, 5, 6, 7, 8);
    expect(new Date(certify(['a'], end).validTo).getTime()).toBe(end);
  });

  it('cuts a common name at 64 characters', () => {
    expect(certify(['a']).subject).toBe(`CN=${'x'.repeat(64)}`);
  });
});
