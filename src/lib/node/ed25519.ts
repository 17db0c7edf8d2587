import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { join } from 'node:path';
import { makePrivateFolder, readFileIfThere, writeFileWhole } from './private-file.ts';

/** Public half of an Ed25519 signing key as it stands in a JWK set (RFC 8037). */
export interface PublicSigningJwk {
  kty: 'OKP';
  crv: 'Ed25519';
  x: string;
  kid: string;
  alg: 'EdDSA';
  use: 'sig';
}

export interface SigningKey {
  /** For `jose` (which keeps its imported form) and for `sign(null, data, key)` of node:crypto. */
  privateKey: KeyObject;
  publicKey: KeyObject;
  publicJwk: PublicSigningJwk;
  /** JWK thumbprint, SHA-256 in base64url (RFC 7638). */
  kid: string;
  /** The 32 bytes of the public key in base64url. */
  rawPublic: string;
}

/**
 * Reads the Ed25519 key `<name>.pem` (PKCS#8) in `folder`, or makes it, 0600. A damaged file is never replaced.
 * @throws Error when the file is there but holds no Ed25519 key; the file system's own errors.
 */
export async function loadSigningKey(folder: string, name: string): Promise<SigningKey> {
  const path = join(folder, `${name}.pem`);
  const stored = await readFileIfThere(path);
  if (stored !== null) return describeKey(parseKey(stored, path));
  const { privateKey } = generateKeyPairSync('ed25519');
  await makePrivateFolder(folder);
  await writeFileWhole(path, privateKey.export({ type: 'pkcs8', format: 'pem' }));
  return describeKey(privateKey);
}

/** The thumbprint of a raw Ed25519 public key in base64url (RFC 7638, RFC 8037 appendix A.3). */
export function thumbprint(rawPublic: string): string {
  const members = JSON.stringify({ crv: 'Ed25519', kty: 'OKP', x: rawPublic });
  return createHash('sha256').update(members).digest('base64url');
}

function parseKey(pem: string, path: string): KeyObject {
  const fix = 'restore it from a backup; if it is removed, a new key is made, and what the old one signed is void';
  try {
    const key = createPrivateKey(pem);
    if (key.asymmetricKeyType === 'ed25519') return key;
    throw new Error(`it is of type ${key.asymmetricKeyType ?? 'unknown'}`);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new Error(`${path} holds no usable Ed25519 key (${why}): ${fix}`, { cause: error });
  }
}

function describeKey(privateKey: KeyObject): SigningKey {
  const publicKey = createPublicKey(privateKey);
  const { x = '' } = publicKey.export({ format: 'jwk' });
  const kid = thumbprint(x);
  const publicJwk: PublicSigningJwk = {
    kty: 'OKP',
    crv: 'Ed25519',
    x,
    kid,
    alg: 'EdDSA',
    use: 'sig',
  };
  return { privateKey, publicKey, publicJwk, kid, rawPublic: x };
}
