import { readFile } from 'node:fs/promises';
import { createLogger } from '../lib/node/logger.ts';
import { startRunner } from '../runner/start-runner.ts';
import { dockerSocket } from './docker-socket.ts';
import type { ProcessOptions } from './options.ts';
import { version } from './version.ts';

export interface RunRunnerOptions extends ProcessOptions {
  host: string | null;
  joinFile: string | null;
  joinToken: string | null;
  name: string | null;
  advertise: { address: string; port: number } | null;
  labels: Readonly<Record<string, string>>;
}

/** `weir runner`: the Runner of this machine until it is told to stop. */
export async function runRunner(options: RunRunnerOptions): Promise<void> {
  const { data, listen, insecureHttp, name, advertise, labels, logLevel, signal } = options;
  const log = createLogger(logLevel);
  const joinToken = options.joinFile === null ? options.joinToken : (await readFile(options.joinFile, 'utf8')).trim();
  await startRunner(
    {
      dataDir: data,
      host: options.host,
      joinToken: async () => joinToken,
      listen,
      insecureHttp,
      name,
      advertise,
      labels,
      version,
      log,
      socketPath: dockerSocket(process.env),
    },
    signal,
  );
  log.info({}, 'the Runner has stopped; workloads go on');
}
