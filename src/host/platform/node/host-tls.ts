import { systemClock, type Clock } from '../../../lib/clock.ts';
import type { Logger } from '../../../lib/logger.ts';
import { runLoop } from '../../../lib/loop.ts';
import { nodeRandom } from '../../../lib/node/hashes.ts';
import type { RunningServer } from '../../../lib/node/server.ts';
import { readTlsFiles, type TlsFiles } from '../../../lib/node/tls-files.ts';
import { loadTlsIdentity, type TlsIdentity } from '../../../lib/node/tls-identity.ts';
import type { Wake } from '../../../lib/wake.ts';
import { isLoopback, ownNames } from './endpoint.ts';

interface HostTlsOptions {
  listen: { address: string };
  insecureHttp: boolean;
  hostNames: readonly string[];
  tlsFiles?: TlsFiles | null;
  log: Logger;
}

/** The operator's certificate where there is one, else one of the Host's own beyond loopback; `null`: plain HTTP. */
export async function hostTls(options: HostTlsOptions, keysFolder: string): Promise<TlsIdentity | null> {
  const { listen, insecureHttp, hostNames, tlsFiles = null, log } = options;
  if (tlsFiles !== null) return readTlsFiles(tlsFiles);
  if (isLoopback(listen.address)) return null;
  if (insecureHttp) {
    log.warn(
      { listen: listen.address },
      'plain HTTP beyond loopback: anybody on the wire can read tokens and command the nodes',
    );
    return null;
  }
  const names = [...hostNames, ...ownNames()].map((name) => name.replace(/^\[|\]$/g, '').replace(/%.*$/, ''));
  return loadTlsIdentity(keysFolder, { commonName: 'weir', names, random: nodeRandom, now: systemClock.now() });
}

export interface FollowOptions {
  files: TlsFiles;
  /** What the server was started with. */
  identity: TlsIdentity;
  server: Pick<RunningServer, 'useTls'>;
  clock: Clock;
  log: Logger;
  /** Raised to look at once. */
  wake: Wake;
}

const lookEveryMs = 10_000;

/**
 * Shows new connections the certificate that is in the files, until the signal aborts. A file that cannot be used, and
 * a certificate with another key, change nothing: every Runner and client has pinned the key.
 */
export function followCertificate(options: FollowOptions, signal: AbortSignal): Promise<void> {
  const { files, identity, server, clock, log, wake } = options;
  let current = identity.certPem;
  let told = '';
  const refuse = (why: string): void => {
    if (told !== why) log.error({ cert: files.cert }, `the certificate in use stays: ${why}`);
    told = why;
  };
  const look = async (): Promise<void> => {
    const read = await readTlsFiles(files).catch((error: unknown) =>
      error instanceof Error ? error.message : String(error),
    );
    if (typeof read === 'string') return refuse(read);
    if (read.pin !== identity.pin)
      return refuse('the new one has another key, and every Runner and client has pinned the old');
    told = '';
    if (read.certPem === current) return;
    server.useTls(read);
    current = read.certPem;
    log.info({ cert: files.cert }, 'the certificate was read anew');
  };
  return runLoop(
    { name: 'certificate', clock, log, wake, intervalMs: lookEveryMs, retryMs: lookEveryMs },
    look,
    signal,
  );
}
