import type { Readable, Writable } from 'node:stream';
import type { Clock } from '../lib/clock.ts';
import type { Random } from '../lib/crypto.ts';

export type Output = Writable & {
  readonly isTTY?: boolean;
  readonly columns?: number;
  readonly rows?: number;
};
export type Input = Readable & { readonly isTTY?: boolean };
export type Fetch = (url: string, init: RequestInit) => Promise<Response>;

/** The process as the commands see it. */
export interface Cli {
  readonly stdin: Input;
  readonly stdout: Output;
  readonly stderr: Output;
  /** A copy taken at the start; secrets are gone from the process's own by then. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly folders: Folders;
  readonly version: string;
  readonly clock: Clock;
  readonly random: Random;
  /** A fetch that speaks only with the holder of the pinned key and follows no redirect; `null`: the authorities. */
  createFetch(pin: string | null): Fetch;
  /** Ctrl-C calls the listener instead of ending the process; the answer takes it off again. */
  onInterrupt(listener: () => void): () => void;
  /** SIGTERM as well, for the processes that stay. */
  onTerminate(listener: () => void): () => void;
  /** SIGHUP, when no terminal sends it: files are to be read anew. */
  onReload(listener: () => void): () => void;
  /** Aborts when nobody reads the output any more. */
  readonly signal: AbortSignal;
  /** Says with which code the process ends when the command returns. */
  setExitCode(code: number): void;
}

export interface Folders {
  /** `$XDG_CONFIG_HOME/weir`: what belongs to the person at this machine. */
  config: string;
  /** Where Host and Runner of this machine keep their state unless told. */
  data: string;
  /** What the operator of this machine set for all of it. */
  system: string;
}
