import { createPrivateKey, randomBytes, X509Certificate } from 'node:crypto';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { describe, expect, it, onTestFinished } from 'vitest';
import { startHost } from '../../../../src/host/platform/node/start-host.ts';
import { silentLogger } from '../../../../src/lib/logger.ts';
import { selfSignedCertificate } from '../../../../src/lib/node/certificate.ts';
import { createFetch } from '../../../../src/lib/node/pinned-fetch.ts';
import { readTlsFiles } from '../../../../src/lib/node/tls-files.ts';
import { loadTlsIdentity } from '../../../../src/lib/node/tls-identity.ts';
import { createWake } from '../../../../src/lib/wake.ts';
import { scratchFolder } from '../../../lib/node/scratch-folder.ts';

async function operatorsFiles(folder: string) {
  const { certPem, keyPem, pin } = await loadTlsIdentity(folder, {
    commonName: 'op',
    now: Date.now(),
  });
  const files = { cert: join(folder, 'cert.pem'), key: join(folder, 'key.pem') };
  writeFileSync(files.cert, certPem);
  writeFileSync(files.key, keyPem, { mode: 0o600 });
  return { files, pin };
}

/** A new certificate of the same key, as an authority makes one at a renewal. */
function renewed(keyPem: string): { pem: string; serial: string } {
  const pem = selfSignedCertificate({
    key: createPrivateKey(keyPem),
    commonName: 'op',
    names: ['weir.example'],
    serial: randomBytes(16),
    notBeforeMs: Date.now(),
    notAfterMs: Date.now() + 86_400_000,
  });
  return { pem, serial: new X509Certificate(pem).serialNumber };
}

function shownSerial(port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false }, () => {
      resolve(socket.getPeerX509Certificate()?.serialNumber ?? '');
      socket.destroy();
    });
    socket.once('error', reject);
  });
}

async function hostWithFiles() {
  const folder = scratchFolder();
  const { files, pin } = await operatorsFiles(folder);
  const reload = createWake();
  const told: string[] = [];
  const log = { ...silentLogger, error: (_: object, message: string) => void told.push(message) };
  const host = await startHost({
    dataDir: join(folder, 'data'),
    listen: { address: '127.0.0.1', port: 0 },
    insecureHttp: false,
    hostNames: [],
    tlsFiles: files,
    reload,
    version: '0',
    log,
  });
  onTestFinished(() => host.stop());
  const client = createFetch({ pin });
  onTestFinished(() => client.close());
  const port = Number(new URL(host.url).port);
  return { host, files, pin, reload, told, client, port };
}

describe("a Host with an operator's certificate", () => {
  it('speaks TLS with it on loopback too, and its key is the one to pin', async () => {
    const { host, files, pin, client, port } = await hostWithFiles();
    expect(host.url).toMatch(/^https:/);
    expect(host.tlsPin).toBe(pin);
    expect((await client(`${host.url}/healthz`)).status).toBe(200);
    expect(await shownSerial(port)).toBe(new X509Certificate(readFileSync(files.cert)).serialNumber);
  });

  it('shows a renewed one when it is told to look, and who has pinned the key notices nothing', async () => {
    const { host, files, reload, client, port, told } = await hostWithFiles();
    expect((await client(`${host.url}/healthz`)).status).toBe(200);
    const { pem, serial } = renewed(readFileSync(files.key, 'utf8'));
    writeFileSync(files.cert, pem);
    reload.raise();
    await expect.poll(() => shownSerial(port)).toBe(serial);
    expect((await client(`${host.url}/healthz`)).status).toBe(200);
    const fresh = createFetch({ pin: host.tlsPin });
    expect((await fresh(`${host.url}/healthz`)).status).toBe(200);
    fresh.close();
    expect(told).toEqual([]);
  });

  it('keeps the old one, and says why, when the new has another key, is damaged or is gone', async () => {
    const { files, reload, port, told } = await hostWithFiles();
    const before = await shownSerial(port);
    const other = await operatorsFiles(scratchFolder());
    writeFileSync(files.cert, readFileSync(other.files.cert));
    reload.raise();
    await expect.poll(() => told.length).toBe(1);
    expect(told[0]).toMatch(/the certificate in use stays: the key in .*key\.pem is not the one of/);
    writeFileSync(files.key, readFileSync(other.files.key));
    reload.raise();
    await expect.poll(() => told.length).toBe(2);
    expect(told[1]).toMatch(/has another key/);
    writeFileSync(files.cert, 'canary');
    reload.raise();
    await expect.poll(() => told.length).toBe(3);
    expect(told[2]).toMatch(/cert\.pem holds no usable certificate/);
    rmSync(files.cert);
    reload.raise();
    await expect.poll(() => told.length).toBe(4);
    expect(told.join()).not.toContain('canary');
    expect(await shownSerial(port)).toBe(before);
  });

  it('does not start when the two files do not belong together', async () => {
    const [one, other] = [await operatorsFiles(scratchFolder()), await operatorsFiles(scratchFolder())];
    await expect(readTlsFiles({ cert: one.files.cert, key: other.files.key })).rejects.toThrow(
      /is not the one of the certificate/,
    );
    await expect(readTlsFiles({ cert: one.files.cert, key: '/nowhere/key.pem' })).rejects.toThrow(
      /\/nowhere\/key\.pem/,
    );
  });

  it('shows the certificates of the issuers as well', async () => {
    const { files } = await operatorsFiles(scratchFolder());
    const issuer = await operatorsFiles(scratchFolder());
    const chain = readFileSync(files.cert, 'utf8') + readFileSync(issuer.files.cert, 'utf8');
    writeFileSync(files.cert, chain);
    expect((await readTlsFiles(files)).certPem).toBe(chain);
  });
});
