import type { Logger } from '../lib/logger.ts';
import type { LogRetention } from './logs/log-retention.ts';
import type { RunnerPolicy } from './policy.ts';

export interface RunnerOptions {
  dataDir: string;
  /** Address of the Host; a folder that has joined knows it, and this takes its place. */
  host: string | null;
  /** Asked for only when the folder has not joined yet. */
  joinToken: () => Promise<string | null>;
  name: string | null;
  labels: Readonly<Record<string, string>>;
  listen: { address: string; port: number };
  /** Where the Host dials, when that is another address than it listens on. */
  advertise: { address: string; port: number } | null;
  insecureHttp: boolean;
  socketPath: string;
  policy: RunnerPolicy;
  /** Most bytes of one attempt's log, and how long logs are kept. */
  logs: { capBytes: number; retention: LogRetention };
  version: string;
  log: Logger;
}
