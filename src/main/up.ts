import { startHost } from '../host/platform/node/start-host.ts';
import { createLogger } from '../lib/node/logger.ts';
import { startRunner } from '../runner/start-runner.ts';
import { dockerSocket } from './docker-socket.ts';
import type { RunHostOptions } from './host.ts';
import { version } from './version.ts';

/** `weir up`: a Host and a Runner in one process, for one machine. */
export async function runUp({ data, listen, insecureHttp, hostNames = [], logLevel, signal }: RunHostOptions): Promise<void> {
  const log = createLogger(logLevel);
  const host = await startHost({ dataDir: data, listen, insecureHttp, hostNames, version, log });
  log.info({ url: host.url, adminToken: host.adminTokenFile }, 'the Host answers');
  const stop = new AbortController();
  const until = AbortSignal.any([signal, stop.signal]);
  try {
    await startRunner(
      {
        dataDir: data,
        host: host.url,
        joinToken: async () => (await host.createJoinToken()).token,
        name: null,
        labels: {},
        listen: { address: '127.0.0.1', port: 0 },
        advertise: null,
        insecureHttp,
        socketPath: dockerSocket(process.env),
        version,
        log,
      },
      until,
    );
  } finally {
    stop.abort();
    await host.stop();
  }
  log.info({}, 'the Host and the Runner have stopped; workloads go on');
}
