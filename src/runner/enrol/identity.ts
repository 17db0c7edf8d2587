import { join } from 'node:path';
import { SignJWT, type JWK } from 'jose';
import * as v from 'valibot';
import { toBase64Url, type Random } from '../../lib/crypto.ts';
import { loadSigningKey, type SigningKey } from '../../lib/node/ed25519.ts';
import { readFileIfThere, writeFileWhole } from '../../lib/node/private-file.ts';
import { tokenTypes } from '../../protocol/credential.ts';
import { jwkSchema } from '../../protocol/enrol.ts';
import { nodeId } from '../../protocol/ids.ts';

const fileSchema = v.object({
  node: nodeId.schema,
  name: v.string(),
  cluster: v.string(),
  host: v.string(),
  /** Of the Host's TLS key; `null` on plain HTTP. */
  pin: v.nullable(v.string()),
  hostKeys: v.array(jwkSchema),
});

/** `DIR/runner/node.json`: which node this is, and of whom. Not secret; the key lies beside it. */
export type NodeFile = v.InferOutput<typeof fileSchema>;

const fileName = 'node.json';

/** `null` when this folder has never joined. */
export async function readNodeFile(folder: string): Promise<NodeFile | null> {
  const text = await readFileIfThere(join(folder, fileName));
  if (text === null) return null;
  const parsed = v.safeParse(fileSchema, JSON.parse(text));
  if (parsed.success) return parsed.output;
  throw new Error(`${join(folder, fileName)} is damaged: restore it, or join anew with an empty data folder`);
}

export async function writeNodeFile(folder: string, file: NodeFile): Promise<void> {
  await writeFileWhole(join(folder, fileName), `${JSON.stringify(file, null, 2)}\n`);
}

export function loadNodeKey(folder: string): Promise<SigningKey> {
  return loadSigningKey(folder, 'node');
}

/** The secret behind the labels of this Runner's containers; survives everything but the folder. */
export async function loadMacKey(folder: string, random: Random): Promise<Uint8Array> {
  const path = join(folder, 'mac.key');
  const stored = await readFileIfThere(path);
  if (stored !== null) return Buffer.from(stored.trim(), 'base64url');
  const key = random.bytes(32);
  await writeFileWhole(path, `${toBase64Url(key)}\n`);
  return key;
}

/** Proves that whoever sends it has the key of this node, once and within a minute. `nowMs` is Host time. */
export function signProof(
  key: SigningKey,
  file: NodeFile,
  { nowMs, random }: { nowMs: number; random: Random },
): Promise<string> {
  return new SignJWT({})
    .setProtectedHeader({ alg: 'EdDSA', typ: tokenTypes.node })
    .setSubject(file.node)
    .setAudience(file.cluster)
    .setJti(toBase64Url(random.bytes(16)))
    .setIssuedAt(Math.floor(nowMs / 1000))
    .setExpirationTime(Math.floor(nowMs / 1000) + 60)
    .sign(key.privateKey);
}

/** The Host's keys as they are kept now. */
export interface HostKeyBook {
  keys(): JWK[];
  /** Takes the keys that an authenticated answer of the Host told. */
  learn(keys: readonly JWK[]): Promise<void>;
}

export function createHostKeyBook(folder: string, file: NodeFile): HostKeyBook {
  let current = file;
  return {
    keys: () => current.hostKeys,
    async learn(keys) {
      if (JSON.stringify(keys) === JSON.stringify(current.hostKeys)) return;
      current = { ...current, hostKeys: keys.map((key) => ({ ...key })) };
      await writeNodeFile(folder, current);
    },
  };
}
