import { decodeJwt } from 'jose';
import * as v from 'valibot';
import type { SigningKey } from '../../lib/node/ed25519.ts';
import { enrolAnswerSchema } from '../../protocol/enrol.ts';
import { problemSchema } from '../../protocol/problem.ts';
import { apiPrefix, protocolVersion } from '../../protocol/version.ts';
import { writeNodeFile, type NodeFile } from './identity.ts';

export interface Joining {
  host: string;
  token: string;
  name: string;
  machineId: string;
  labels: Readonly<Record<string, string>>;
  key: SigningKey;
  tlsPin: string | null;
  folder: string;
}

/** What the join token says of the Host's TLS key, before anything is sent there. `null`: plain HTTP. */
export function pinOfJoinToken(token: string): string | null {
  try {
    const { pin } = decodeJwt(token);
    return typeof pin === 'string' ? pin : null;
  } catch (error) {
    throw new Error('this is not a join token: make one with `weir node join-token`', { cause: error });
  }
}

/**
 * Makes this machine a node, with a key of its own that never leaves it.
 * @throws Error with the Host's words when it refuses
 */
export async function enrol(
  joining: Joining,
  fetch: (input: string, init: RequestInit) => Promise<Response>,
  signal: AbortSignal,
): Promise<NodeFile> {
  const { host, token, name, machineId, labels, key, tlsPin, folder } = joining;
  const answer = await fetch(`${host}${apiPrefix}/runner/enrol`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ protocol: protocolVersion, name, publicKey: key.rawPublic, machineId, labels, tlsPin }),
    signal,
  });
  if (!answer.ok) throw new Error(await refusal(answer));
  const enrolled = v.parse(enrolAnswerSchema, await answer.json());
  const file: NodeFile = {
    node: enrolled.node,
    name: enrolled.name,
    cluster: enrolled.cluster,
    host,
    pin: pinOfJoinToken(token),
    hostKeys: enrolled.hostKeys,
  };
  await writeNodeFile(folder, file);
  return file;
}

async function refusal(answer: Response): Promise<string> {
  const text = await answer.text();
  const problem = v.safeParse(v.pipe(v.string(), v.parseJson(), problemSchema), text);
  if (!problem.success) return `the Host answered ${answer.status}`;
  const { detail, fix, code } = problem.output;
  return `the Host refused: ${detail} (${code})${fix === undefined ? '' : `; ${fix}`}`;
}
