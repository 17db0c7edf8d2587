import { cpSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { HostConfig } from '../../src/host/config.ts';
import { startHost, type HostOptions, type RunningHost } from '../../src/host/platform/node/start-host.ts';
import type { Clock } from '../../src/lib/clock.ts';
import { silentLogger } from '../../src/lib/logger.ts';
import { createCall, type Call } from './calls.ts';
import { testFolder } from './database.ts';

export interface TestHost extends AsyncDisposable {
  host: RunningHost;
  dataDir: string;
  url: string;
  token: string;
  call: Call;
}

export interface TestHostOptions {
  config?: Partial<HostConfig>;
  clock?: Clock;
  hostNames?: readonly string[];
  /** Kept when the Host has stopped, for the next one. */
  dataDir?: string;
  /** A server in place of a file. */
  databaseUrl?: string;
  /** Another Host on the same database: its keys are copied and its token is used. */
  beside?: TestHost;
}

/** A whole Host on a free loopback port, with a data folder of its own. */
export async function startTestHost(wanted: TestHostOptions = {}): Promise<TestHost> {
  const { config, clock, hostNames = [], dataDir, databaseUrl, beside } = wanted;
  const folder = dataDir ?? testFolder();
  if (beside) cpSync(join(beside.dataDir, 'host', 'keys'), join(folder, 'host', 'keys'), { recursive: true });
  const options: HostOptions = {
    dataDir: folder,
    listen: { address: '127.0.0.1', port: 0 },
    insecureHttp: false,
    hostNames,
    version: '0.0.0-test',
    log: silentLogger,
    ...(config === undefined ? {} : { config }),
    ...(clock === undefined ? {} : { clock }),
    ...(databaseUrl === undefined ? {} : { databaseUrl }),
  };
  const host = await startHost(options);
  const token = beside?.token ?? readFileSync(join(folder, 'admin.token'), 'utf8').trim();
  const call = createCall((path, init) => fetch(`${host.url}${path}`, init), token);
  return {
    host,
    dataDir: folder,
    url: host.url,
    token,
    call,
    async [Symbol.asyncDispose]() {
      await host.stop();
      if (dataDir === undefined) rmSync(folder, { recursive: true });
    },
  };
}
