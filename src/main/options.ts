import type { Config } from '../config/settings.ts';

/** What the processes share, as the CLI gives it. */
export interface ProcessOptions {
  /** Folder for all that it keeps. */
  data: string;
  config: Config;
  /** What the log begins with: faults of the configuration that do not stop it. */
  warnings: readonly string[];
  insecureHttp: boolean;
  /** Calls the listener when files are to be read anew (SIGHUP); the answer takes it off again. */
  onReload(listener: () => void): () => void;
  /** Aborts when it is to stop. */
  signal: AbortSignal;
}
