import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createPrivateKey, randomBytes, X509Certificate } from 'node:crypto';
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { describe, expect, it, onTestFinished } from 'vitest';
import { selfSignedCertificate } from '../../src/lib/node/certificate.ts';
import { createFetch } from '../../src/lib/node/pinned-fetch.ts';
import { loadTlsIdentity } from '../../src/lib/node/tls-identity.ts';
import { scratchFolder } from '../lib/node/scratch-folder.ts';

const main = new URL('../../src/cli/main.ts', import.meta.url).pathname;

function shownSerial(url: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const port = Number(new URL(url).port);
    const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false }, () => {
      resolve(socket.getPeerX509Certificate()?.serialNumber ?? '');
      socket.destroy();
    });
    socket.once('error', reject);
  });
}

describe('SIGHUP', { timeout: 30_000 }, () => {
  it('makes a Host read its certificate anew and open its log anew, and go on', async () => {
    const folder = scratchFolder();
    const { certPem, keyPem, pin } = await loadTlsIdentity(folder, {
      commonName: 'op',
      now: Date.now(),
    });
    const files = {
      cert: join(folder, 'cert.pem'),
      key: join(folder, 'key.pem'),
      log: join(folder, 'log'),
    };
    writeFileSync(files.cert, certPem);
    writeFileSync(files.key, keyPem, { mode: 0o644 });
    const file = join(folder, 'c.json');
    writeFileSync(
      file,
      JSON.stringify({
        host: { tls: { cert: files.cert, key: files.key } },
        log: { file: files.log },
      }),
    );
    const data = join(folder, 'data');
    const argv = ['host', '--data', data, '--listen', '127.0.0.1:0', '--config', file];
    const child = spawn(process.execPath, ['--import', 'tsx', main, ...argv], {
      env: { PATH: process.env['PATH'] ?? '', HOME: folder },
      stdio: 'ignore',
    });
    onTestFinished(() => void child.kill('SIGKILL'));
    const ended = once(child, 'exit');
    const endpoint = join(data, 'endpoint.json');
    await expect.poll(() => existsSync(endpoint), { timeout: 20_000 }).toBe(true);
    const { url, tlsPin } = JSON.parse(readFileSync(endpoint, 'utf8')) as {
      url: string;
      tlsPin: string;
    };
    expect(tlsPin).toBe(pin);
    expect(readFileSync(files.log, 'utf8')).toContain(`${files.key} can be read by others on this machine`);

    const pem = selfSignedCertificate({
      key: createPrivateKey(keyPem),
      commonName: 'op',
      names: [],
      serial: randomBytes(16),
      notBeforeMs: Date.now(),
      notAfterMs: Date.now() + 86_400_000,
    });
    writeFileSync(files.cert, pem);
    renameSync(files.log, `${files.log}.1`);
    child.kill('SIGHUP');
    await expect.poll(() => shownSerial(url), { timeout: 5000 }).toBe(new X509Certificate(pem).serialNumber);
    const client = createFetch({ pin });
    expect((await client(`${url}/healthz`)).status).toBe(200);
    client.close();
    expect(readFileSync(files.log, 'utf8')).toContain('the certificate was read anew');
    child.kill('SIGTERM');
    expect(await ended).toEqual([0, null]);
  });
});
