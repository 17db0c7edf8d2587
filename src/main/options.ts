/** What the processes share, as the CLI gives it. */
export interface ProcessOptions {
  /** Folder for all that it keeps. */
  data: string;
  listen: { address: string; port: number };
  insecureHttp: boolean;
  logLevel: 'debug' | 'info' | 'warn' | 'error';
  /** Aborts when it is to stop. */
  signal: AbortSignal;
}
