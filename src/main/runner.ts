import { readFile } from 'node:fs/promises';
import { startRunner } from '../runner/start-runner.ts';
import type { ProcessOptions } from './options.ts';
import { openProcessLog } from './process-log.ts';
import { runnerOptions } from './runner-options.ts';
import { version } from './version.ts';

export interface RunRunnerOptions extends ProcessOptions {
  /** Of the environment; a file goes before it. */
  joinToken: string | null;
}

/** `weir runner`: the Runner of this machine until it is told to stop. */
export async function runRunner(options: RunRunnerOptions): Promise<void> {
  const { data, config, insecureHttp, signal } = options;
  using logging = openProcessLog(options);
  const { log } = logging;
  const { host, joinFile } = config.runner;
  const joinToken = async (): Promise<string | null> =>
    joinFile === null ? options.joinToken : (await readFile(joinFile, 'utf8')).trim();
  await startRunner({ ...runnerOptions(config), dataDir: data, host, joinToken, insecureHttp, version, log }, signal);
  log.info({}, 'the Runner has stopped; workloads go on');
}
