import { hostname } from 'node:os';
import type { SigningKey } from '../lib/node/ed25519.ts';
import { createFetch } from '../lib/node/pinned-fetch.ts';
import { enrol, pinOfJoinToken } from './enrol/enrol.ts';
import type { NodeFile } from './enrol/identity.ts';
import type { Machine } from './machine.ts';
import type { RunnerOptions } from './options.ts';

interface JoinParts {
  key: SigningKey;
  /** Of this Runner's own API; `null` on plain HTTP. */
  tlsPin: string | null;
  machine: Pick<Machine, 'identity'>;
  folder: string;
}

/**
 * The first start: makes this machine a node of the Host that the join token is of.
 * @throws Error that says what is missing, or the Host's words when it refuses
 */
export async function joinHost(
  options: RunnerOptions,
  { key, tlsPin, machine, folder }: JoinParts,
  signal: AbortSignal,
): Promise<NodeFile> {
  const { host } = options;
  const token = host === null ? null : await options.joinToken();
  if (host === null || token === null) {
    throw new Error(
      `${folder} has not joined a Host yet: give --host URL and --join-file FILE (\`weir node join-token\` makes the token)`,
    );
  }
  const pin = pinOfJoinToken(token);
  checkTransport(host, pin, options.insecureHttp);
  const fetch = createFetch({ pin });
  try {
    const { machineId } = await machine.identity();
    const name = options.name ?? nameFromHostname();
    const joining = { host, token, name, machineId, labels: options.labels, key, tlsPin, folder };
    return await enrol(joining, (input, init) => fetch(input, init), signal);
  } finally {
    fetch.close();
  }
}

/** A join token of a Host with TLS carries its pin: without one, only this machine is spoken to in the clear. */
function checkTransport(host: string, pin: string | null, insecureHttp: boolean): void {
  const { protocol, hostname: name } = new URL(host);
  const local = name === 'localhost' || name === '[::1]' || name.startsWith('127.');
  if (protocol === 'https:' ? pin !== null : local || insecureHttp) return;
  if (protocol === 'https:')
    throw new Error('the join token carries no pin of a TLS key: it was made by a Host on plain HTTP');
  throw new Error(`${host} is plain HTTP beyond this machine: use its https address, or --insecure-http if you must`);
}

function nameFromHostname(): string {
  const plain =
    hostname()
      .split('.')[0]
      ?.replace(/[^A-Za-z0-9-]/g, '-') ?? '';
  const trimmed = plain.replace(/^-+|-+$/g, '').slice(0, 63);
  return trimmed === '' ? 'node' : trimmed;
}
