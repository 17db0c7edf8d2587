import { startHost } from '../host/platform/node/start-host.ts';
import { createLogger } from '../lib/node/logger.ts';
import type { ProcessOptions } from './options.ts';
import { aborted } from './until.ts';
import { version } from './version.ts';

export interface RunHostOptions extends ProcessOptions {
  /** Names by which clients reach the Host, besides those of this machine. */
  hostNames?: readonly string[];
}

/** `weir host`: the Host until it is told to stop. */
export async function runHost({ data, listen, insecureHttp, hostNames = [], logLevel, signal }: RunHostOptions): Promise<void> {
  const log = createLogger(logLevel);
  const host = await startHost({ dataDir: data, listen, insecureHttp, hostNames, version, log });
  log.info({ url: host.url, adminToken: host.adminTokenFile }, 'the Host answers');
  await aborted(signal);
  await host.stop();
  log.info({}, 'the Host has stopped; workloads go on');
}
