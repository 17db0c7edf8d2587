import { startHost } from '../host/platform/node/start-host.ts';
import { hostOptions } from './host-options.ts';
import type { ProcessOptions } from './options.ts';
import { openProcessLog } from './process-log.ts';
import { aborted } from './until.ts';
import { version } from './version.ts';

/** `weir host`: the Host until it is told to stop. */
export async function runHost(options: ProcessOptions): Promise<void> {
  const { data, config, insecureHttp, signal } = options;
  using logging = openProcessLog(options);
  const { log, reload } = logging;
  const host = await startHost({
    ...hostOptions(config),
    dataDir: data,
    insecureHttp,
    version,
    log,
    reload,
  });
  log.info({ url: host.url, adminToken: host.adminTokenFile }, 'the Host answers');
  await aborted(signal);
  await host.stop();
  log.info({}, 'the Host has stopped; workloads go on');
}
