import { join } from 'node:path';
import { systemClock } from '../lib/clock.ts';
import { loadTlsIdentity, type TlsIdentity } from '../lib/node/tls-identity.ts';
import { lockFolder } from '../lib/node/folder-lock.ts';
import { nodeRandom } from '../lib/node/hashes.ts';
import { createFetch } from '../lib/node/pinned-fetch.ts';
import { makePrivateFolder } from '../lib/node/private-file.ts';
import { loadNodeKey, readNodeFile } from './enrol/identity.ts';
import { joinHost } from './join-host.ts';
import { createMachine } from './machine.ts';
import type { RunnerOptions } from './options.ts';
import { runNode } from './run-node.ts';

/**
 * Runs the Runner until the signal aborts, and leaves all workloads as they are.
 * @throws Error when it cannot join, or another process has its folder
 */
export async function startRunner(options: RunnerOptions, signal: AbortSignal): Promise<void> {
  const folder = join(options.dataDir, 'runner');
  await makePrivateFolder(folder);
  using _lock = await lockFolder(folder);
  const key = await loadNodeKey(folder);
  const tls = await tlsFor(options, folder);
  const machine = createMachine({ ...options, folder });
  const joined =
    (await readNodeFile(folder)) ??
    (await joinHost(options, { key, tlsPin: tls?.pin ?? null, machine, folder }, signal));
  const node = { ...joined, host: options.host ?? joined.host };
  const fetch = createFetch({ pin: node.pin });
  try {
    await runNode(options, { folder, node, key, tls, machine, fetch }, signal);
  } finally {
    fetch.close();
    machine[Symbol.dispose]();
  }
}

async function tlsFor({ listen, insecureHttp, log }: RunnerOptions, folder: string): Promise<TlsIdentity | null> {
  const loopback = listen.address === 'localhost' || listen.address === '::1' || listen.address.startsWith('127.');
  if (loopback) return null;
  if (insecureHttp) {
    log.warn(
      { listen: listen.address },
      'plain HTTP beyond loopback: anybody on the wire can read what workloads print',
    );
    return null;
  }
  return loadTlsIdentity(folder, { commonName: 'weir-runner', random: nodeRandom, now: systemClock.now() });
}
