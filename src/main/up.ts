import { startHost } from '../host/platform/node/start-host.ts';
import { startRunner } from '../runner/start-runner.ts';
import { hostOptions } from './host-options.ts';
import type { ProcessOptions } from './options.ts';
import { openProcessLog } from './process-log.ts';
import { runnerOptions } from './runner-options.ts';
import { version } from './version.ts';

/** `weir up`: a Host and a Runner in one process, for one machine. */
export async function runUp(options: ProcessOptions): Promise<void> {
  const { data, config, insecureHttp, signal } = options;
  using logging = openProcessLog(options);
  const { log, reload } = logging;
  const common = { dataDir: data, insecureHttp, version, log };
  const host = await startHost({ ...hostOptions(config), ...common, reload });
  log.info({ url: host.url, adminToken: host.adminTokenFile }, 'the Host answers');
  const stop = new AbortController();
  const until = AbortSignal.any([signal, stop.signal]);
  const joinToken = async (): Promise<string> => (await host.createJoinToken()).token;
  try {
    await startRunner({ ...runnerOptions(config), ...common, host: host.url, joinToken }, until);
  } finally {
    stop.abort();
    await host.stop();
  }
  log.info({}, 'the Host and the Runner have stopped; workloads go on');
}
