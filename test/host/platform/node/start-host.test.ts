import { once } from 'node:events';
import { readFileSync, rmSync, statSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startHost, type HostOptions } from '../../../../src/host/platform/node/start-host.ts';
import { createFetch } from '../../../../src/lib/node/pinned-fetch.ts';
import type { Logger } from '../../../../src/lib/logger.ts';
import { silentLogger } from '../../../../src/lib/logger.ts';
import { hostTimeHeader } from '../../../../src/protocol/version.ts';
import { pageOf, problemOf, smallTask, taskOf } from '../../../support/calls.ts';
import { testFolder } from '../../../support/database.ts';
import { startTestHost } from '../../../support/host.ts';
import { joinRunner } from '../../../support/runner-wire.ts';
import { readEvents } from '../../../support/sse.ts';

let folder: string;
beforeEach(() => {
  folder = testFolder();
});
afterEach(() => rmSync(folder, { recursive: true }));

function options(more: Partial<HostOptions> = {}): HostOptions {
  const listen = { address: '127.0.0.1', port: 0 };
  return { dataDir: folder, listen, insecureHttp: false, hostNames: [], version: '1', log: silentLogger, ...more };
}

const mode = (path: string): string => (statSync(join(folder, path)).mode & 0o777).toString(8);

describe('the data folder', () => {
  it('gets the first token for its owner alone, and where the Host is', async () => {
    const host = await startHost(options());
    expect(JSON.parse(readFileSync(join(folder, 'endpoint.json'), 'utf8'))).toEqual({
      url: host.url,
      pid: process.pid,
    });
    expect([
      mode('admin.token'),
      mode('host'),
      mode('host/keys'),
      mode('host/weir.db'),
      mode('host/keys/signing.pem'),
    ]).toEqual(['600', '700', '700', '600', '600']);
    expect(readFileSync(join(folder, 'admin.token'), 'utf8')).toMatch(/^[\w.-]+\n$/);
    await host.stop();
  });

  it('keeps its token, its cluster and its work over a restart', async () => {
    const first = await startTestHost({ dataDir: folder });
    const { id } = taskOf(await first.call('POST', '/api/v1/tasks', smallTask));
    const status = (await first.call('GET', '/api/v1/status')).body as { cluster: string };
    await first[Symbol.asyncDispose]();
    const second = await startTestHost({ dataDir: folder });
    expect(second.token).toBe(first.token);
    expect(taskOf(await second.call('GET', `/api/v1/tasks/${id}`)).state).toBe('queued');
    expect((await second.call('GET', '/api/v1/status')).body).toMatchObject({ cluster: status.cluster });
    await second[Symbol.asyncDispose]();
  });

  it('belongs to one Host: a second one is refused with a line that says why, and does no harm', async () => {
    const first = await startTestHost({ dataDir: folder });
    await expect(startHost(options())).rejects.toThrow(/in use by another process.*choose another data folder/);
    expect(JSON.parse(readFileSync(join(folder, 'endpoint.json'), 'utf8'))).toMatchObject({ url: first.url });
    expect((await first.call('POST', '/api/v1/tasks', smallTask)).status).toBe(201);
    await first[Symbol.asyncDispose]();
  });

  it('is free again when a Host could not listen', async () => {
    await using other = await startTestHost();
    const port = Number(new URL(other.url).port);
    await expect(startHost(options({ listen: { address: '127.0.0.1', port } }))).rejects.toThrow(
      `cannot listen on 127.0.0.1:${port}`,
    );
    await (await startHost(options())).stop();
  });
});

describe('beyond loopback', () => {
  const anywhere = { address: '0.0.0.0', port: 0 };

  it('the Host speaks TLS under a key that it keeps, which the join token names', async () => {
    const first = await startHost(options({ listen: anywhere }));
    expect(first.url).toMatch(/^https:/);
    expect(JSON.parse(readFileSync(join(folder, 'endpoint.json'), 'utf8'))).toMatchObject({ tlsPin: first.tlsPin });
    const { token } = await first.createJoinToken();
    expect(JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString())).toMatchObject({
      pin: first.tlsPin,
    });
    const pinned = createFetch({ pin: first.tlsPin ?? '' });
    expect((await pinned(`${first.url}/healthz`)).status).toBe(200);
    const other = createFetch({ pin: 'A'.repeat(43) });
    await expect(other(`${first.url}/healthz`)).rejects.toThrow(Error);
    pinned.close();
    other.close();
    await first.stop();
    const second = await startHost(options({ listen: anywhere }));
    expect(second.tlsPin).toBe(first.tlsPin);
    await second.stop();
  });

  it('plain HTTP gets no answer', async () => {
    const host = await startHost(options({ listen: anywhere }));
    await expect(fetch(host.url.replace('https:', 'http:') + '/healthz')).rejects.toThrow('fetch failed');
    await host.stop();
  });

  it('plain HTTP is spoken only when told to, and loudly', async () => {
    const warned: string[] = [];
    const log: Logger = { ...silentLogger, warn: (_fields, message) => warned.push(message) };
    const host = await startHost(options({ listen: anywhere, insecureHttp: true, log }));
    expect(host.tlsPin).toBeNull();
    expect((await fetch(`${host.url}/healthz`)).status).toBe(200);
    expect(warned).toEqual([expect.stringContaining('plain HTTP beyond loopback')]);
    await host.stop();
  });
});

/** Sends bytes as they are and reads all that comes. */
async function raw(url: string, text: string): Promise<string> {
  const socket = connect(Number(new URL(url).port), '127.0.0.1');
  socket.end(text);
  let answer = '';
  socket.on('data', (chunk) => (answer += chunk.toString()));
  await once(socket, 'close');
  return answer;
}

describe('over the wire', () => {
  it('a name that is not ours is refused before anything else; ours are taken in any case', async () => {
    await using test = await startTestHost({ hostNames: ['Cluster.Example'] });
    const get = (host: string) => raw(test.url, `GET /healthz HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
    for (const host of ['evil.example', 'evil.example:8000', '127.0.0.1.evil.example']) {
      expect(await get(host)).toMatch(/^HTTP\/1.1 421 [^]*"code":"wrong_host"/);
    }
    for (const host of ['localhost', '127.0.0.1:1', '[::1]:8000', 'cluster.example', 'CLUSTER.example:8000']) {
      expect(await get(host)).toMatch(/^HTTP\/1.1 200 /);
    }
  });

  it('a body that is too large is refused, with its length told or not, and nothing is stored', async () => {
    await using test = await startTestHost();
    const big = JSON.stringify({ ...smallTask, env: { A: 'x'.repeat(1_100_000) } });
    expect(problemOf(await test.call('POST', '/api/v1/tasks', big))).toMatchObject({
      status: 413,
      code: 'body_too_large',
    });
    const head = `POST /api/v1/tasks HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${test.token}\r\nContent-Type: application/json\r\nConnection: close\r\n`;
    const chunked = `${head}Transfer-Encoding: chunked\r\n\r\n${big.length.toString(16)}\r\n${big}\r\n0\r\n\r\n`;
    expect(await raw(test.url, chunked)).toMatch(/^HTTP\/1.1 413 /);
    expect(pageOf(await test.call('GET', '/api/v1/tasks')).items).toEqual([]);
  });

  it("every answer tells the Host's time and a request id of its own", async () => {
    await using test = await startTestHost();
    const answers = [
      await test.call('GET', '/healthz'),
      await test.call('GET', '/nothing'),
      await test.call('GET', '/', undefined, { authorization: '' }),
    ];
    for (const { headers } of answers) {
      expect(Math.abs(Number(headers.get(hostTimeHeader)) - Date.now())).toBeLessThan(60_000);
      expect(headers.get('x-content-type-options')).toBe('nosniff');
    }
    expect(new Set(answers.map(({ headers }) => headers.get('x-request-id'))).size).toBe(3);
  });

  it('a stop lets held calls, waits and streams end by themselves', async () => {
    const test = await startTestHost();
    const runner = await joinRunner(test);
    const { id } = taskOf(await test.call('POST', '/api/v1/tasks', { ...smallTask, resources: { cpus: 100 } }));
    await runner.sync();
    const headers = { authorization: `Bearer ${test.token}` };
    const stream = readEvents(await fetch(`${test.url}/api/v1/events?since=0`, { headers }));
    await stream.until(3);
    const held = runner.sync({ holdMs: 20_000 });
    const waiting = test.call('GET', `/api/v1/tasks/${id}/wait?timeout=5m`);
    await test.call('GET', '/healthz');
    const startedMs = performance.now();
    await test[Symbol.asyncDispose]();
    await Promise.all([stream.ended, held, waiting]);
    expect(performance.now() - startedMs).toBeLessThan(4000);
  });
});
