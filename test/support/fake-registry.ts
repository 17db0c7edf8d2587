import { createHash } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** As much of a registry (OCI distribution, pull) as an engine needs, on the loopback. */
export interface FakeRegistry extends AsyncDisposable {
  /** `localhost:PORT`. */
  host: string;
  requests: string[];
  /** Puts an image of one layer there. The layer is a tar archive, uncompressed. */
  add(repository: string, tag: string, layer: Buffer): void;
  /** Keeps back layers until the answer is called. */
  hold(): () => void;
}

const types = {
  manifest: 'application/vnd.docker.distribution.manifest.v2+json',
  config: 'application/vnd.docker.container.image.v1+json',
  layer: 'application/vnd.docker.image.rootfs.diff.tar',
};

interface Blob {
  type: string;
  bytes: Buffer;
}

const digestOf = (bytes: Buffer): string => `sha256:${createHash('sha256').update(bytes).digest('hex')}`;

export async function createFakeRegistry(): Promise<FakeRegistry> {
  const content = new Map<string, Blob>();
  const requests: string[] = [];
  let held: Promise<void> = Promise.resolve();
  const server = createServer((request, response) => {
    const path = request.url ?? '';
    requests.push(`${request.method} ${path}`);
    const wait = content.get(path)?.type === types.layer ? held : Promise.resolve();
    void wait.then(() => answer(response, content.get(path), { path, head: request.method === 'HEAD' }));
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const put = (repository: string, blob: Blob): object => {
    const digest = digestOf(blob.bytes);
    content.set(`/v2/${repository}/blobs/${digest}`, blob);
    return { mediaType: blob.type, size: blob.bytes.length, digest };
  };
  return {
    host: `localhost:${(server.address() as AddressInfo).port}`,
    requests,
    add(repository, tag, layer) {
      const rootfs = { type: 'layers', diff_ids: [digestOf(layer)] };
      const config = { architecture: 'amd64', os: 'linux', config: { Cmd: ['/hello'] }, rootfs };
      const manifest = {
        schemaVersion: 2,
        mediaType: types.manifest,
        config: put(repository, { type: types.config, bytes: Buffer.from(JSON.stringify(config)) }),
        layers: [put(repository, { type: types.layer, bytes: layer })],
      };
      const blob = { type: types.manifest, bytes: Buffer.from(JSON.stringify(manifest)) };
      for (const name of [tag, digestOf(blob.bytes)]) content.set(`/v2/${repository}/manifests/${name}`, blob);
    },
    hold() {
      let release = (): void => undefined;
      held = new Promise((resolve) => {
        release = resolve;
      });
      return release;
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => {
        server.close(resolve);
      });
    },
  };
}

function answer(response: ServerResponse, blob: Blob | undefined, asked: { path: string; head: boolean }): void {
  if (asked.path === '/v2/') {
    response.end('{}');
    return;
  }
  if (blob === undefined) {
    response.writeHead(404, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ errors: [{ code: 'MANIFEST_UNKNOWN', message: 'manifest unknown' }] }));
    return;
  }
  response.writeHead(200, {
    'content-type': blob.type,
    'content-length': blob.bytes.length,
    'docker-content-digest': digestOf(blob.bytes),
  });
  response.end(asked.head ? undefined : blob.bytes);
}
