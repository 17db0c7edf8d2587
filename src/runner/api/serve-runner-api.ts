import { serve } from '../../lib/node/server.ts';
import type { RunnerApi } from './runner-api.ts';

export interface RunnerApiServer extends AsyncDisposable {
  address: string;
  port: number;
}

export interface ServeRunnerApiOptions {
  api: RunnerApi;
  /** Port 0 takes a free one. */
  listen: { address: string; port: number };
  /** `null` speaks plain HTTP. */
  tls: { certPem: string; keyPem: string } | null;
}

/** How long a request may go on after the Runner was told to stop; streams are ended at once. */
const graceMs = 1000;

/** @throws Error naming address and port when they cannot be listened on */
export async function serveRunnerApi({ api, listen, tls }: ServeRunnerApiOptions): Promise<RunnerApiServer> {
  const server = await serve({ fetch: (request) => api.fetch(request), listen, tls });
  return {
    address: server.address,
    port: server.port,
    async [Symbol.asyncDispose]() {
      api.endStreams();
      await server.close(graceMs);
    },
  };
}
