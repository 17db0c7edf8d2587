#!/usr/bin/env node
import { homedir } from 'node:os';
import { systemClock } from '../lib/clock.ts';
import { nodeRandom } from '../lib/node/hashes.ts';
import type { Fetch, Output } from './cli.ts';
import { findFolders } from './folders.ts';
import { runCli } from './run-cli.ts';
import { versionText } from './version-text.ts';

const unread = new AbortController();

/** Whoever reads us has enough (`weir … | head`): the rest is not made. */
function endWhenUnread(stream: Output): void {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    unread.abort(error);
  });
}

/** Our own copy of the variables: secrets are taken out of the process before it can have children. */
function takeEnvironment(): Readonly<Record<string, string | undefined>> {
  const env = { ...process.env };
  delete process.env['WEIR_TOKEN'];
  delete process.env['WEIR_JOIN_TOKEN'];
  return env;
}

function on(signals: readonly NodeJS.Signals[], listener: () => void): () => void {
  for (const signal of signals) process.on(signal, listener);
  return () => {
    for (const signal of signals) process.off(signal, listener);
  };
}

const closing: (() => void)[] = [];

/** The HTTP client is loaded with the first request: most of the start-up time of a command that needs none. */
function createFetch(pin: string | null): Fetch {
  const loaded = import('../lib/node/pinned-fetch.ts').then((client) => {
    const fetch = client.createFetch({ pin });
    closing.push(() => fetch.close());
    return fetch;
  });
  return async (url, init) => (await loaded)(url, init);
}

endWhenUnread(process.stdout);
endWhenUnread(process.stderr);
const env = takeEnvironment();
process.exitCode = await runCli(process.argv.slice(2), {
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
  env,
  folders: findFolders({
    env,
    home: homedir(),
    uid: process.getuid?.() ?? -1,
    platform: process.platform,
  }),
  version: versionText,
  clock: systemClock,
  random: nodeRandom,
  createFetch,
  onInterrupt: (listener) => on(['SIGINT'], listener),
  onTerminate: (listener) => on(['SIGTERM', 'SIGINT'], listener),
  // A terminal that closes ends what runs in it.
  onReload: (listener) => (process.stdin.isTTY ? () => undefined : on(['SIGHUP'], listener)),
  signal: unread.signal,
});
for (const close of closing) close();
