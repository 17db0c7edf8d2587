import type { Cli } from './cli.ts';

/**
 * Runs a process of ours until it ends or SIGTERM or Ctrl-C asks it to: the first asks, a second one ends it at once,
 * as the system does by itself.
 */
export async function serve(cli: Cli, start: (signal: AbortSignal) => Promise<void>): Promise<void> {
  const stop = new AbortController();
  const off = cli.onTerminate(() => {
    off();
    stop.abort(new Error('asked to stop'));
  });
  try {
    await start(stop.signal);
  } finally {
    off();
  }
}
