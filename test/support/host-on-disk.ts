import { readFile } from 'node:fs/promises';
import type { HostConfig } from '../../src/host/config.ts';
import { startHost, type RunningHost } from '../../src/host/platform/node/start-host.ts';
import { silentLogger } from '../../src/lib/logger.ts';
import { apiClient, type ApiClient } from './api-client.ts';

/** A real Host in this process, on a folder that outlives it and at an address that it keeps. */
export interface HostOnDisk extends AsyncDisposable {
  readonly url: string;
  readonly api: ApiClient;
  host(): RunningHost;
  stop(): Promise<void>;
  start(): Promise<void>;
}

export async function openHost(dataDir: string, config: Partial<HostConfig> = {}): Promise<HostOnDisk> {
  let port = 0;
  const open = (): Promise<RunningHost> =>
    startHost({
      dataDir,
      listen: { address: '127.0.0.1', port },
      insecureHttp: false,
      hostNames: [],
      version: 'test',
      log: silentLogger,
      config,
    });
  let running: RunningHost | null = await open();
  const { url, adminTokenFile } = running;
  port = Number(new URL(url).port);
  const token = (await readFile(adminTokenFile, 'utf8')).trim();
  const stop = async (): Promise<void> => {
    await running?.stop();
    running = null;
  };
  return {
    url,
    api: apiClient(url, token),
    host() {
      if (running === null) throw new Error('the Host does not run');
      return running;
    },
    stop,
    async start() {
      running ??= await open();
    },
    [Symbol.asyncDispose]: stop,
  };
}
