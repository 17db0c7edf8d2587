import { createHash, createPrivateKey, generateKeyPairSync, X509Certificate, type KeyObject } from 'node:crypto';
import { join } from 'node:path';
import type { Random } from '../crypto.ts';
import { selfSignedCertificate } from './certificate.ts';
import { nodeRandom } from './hashes.ts';
import { makePrivateFolder, readFileIfThere, writeFileWhole } from './private-file.ts';

/** What a TLS server shows, and what its clients know it by. */
export interface TlsIdentity {
  certPem: string;
  keyPem: string;
  /** SHA-256 of the public key (SubjectPublicKeyInfo, DER) in base64url. */
  pin: string;
}

export interface NewTlsIdentity {
  commonName: string;
  /** Host names and IP addresses beside `localhost` and the loopback addresses. */
  names?: readonly string[];
  /** For the serial number; the key comes from the runtime's own generator. */
  random?: Random;
  /** Milliseconds since 1970. */
  now: number;
}

const dayMs = 86_400_000;
const validMs = 20 * 365.25 * dayMs;

/**
 * Reads the TLS key and certificate from `tls.pem` in `folder`, or makes them: one file, so that a crash
 * leaves both or neither. A damaged file is never replaced, for every client has pinned its key.
 * @throws Error when the file is there but holds no key with its certificate; the file system's own errors.
 */
export async function loadTlsIdentity(folder: string, wanted: NewTlsIdentity): Promise<TlsIdentity> {
  const path = join(folder, 'tls.pem');
  const stored = await readFileIfThere(path);
  if (stored !== null) return parseIdentity(stored, path);
  const made = makeIdentity(wanted);
  await makePrivateFolder(folder);
  await writeFileWhole(path, made);
  return parseIdentity(made, path);
}

/** SHA-256 of a public key (SubjectPublicKeyInfo, DER) in base64url: the pin. */
export function pinOf(publicKey: KeyObject): string {
  const der = publicKey.export({ type: 'spki', format: 'der' });
  return createHash('sha256').update(der).digest('base64url');
}

function makeIdentity({ commonName, names = [], random = nodeRandom, now }: NewTlsIdentity): string {
  // P-256: browsers take no Ed25519 certificates.
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
  const certPem = selfSignedCertificate({
    key: privateKey,
    commonName,
    names: [...new Set(['localhost', '127.0.0.1', '::1', ...names])],
    serial: random.bytes(16),
    notBeforeMs: now - dayMs,
    notAfterMs: now + validMs,
  });
  return `${certPem}${privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()}`;
}

function parseIdentity(pem: string, path: string): TlsIdentity {
  try {
    const key = createPrivateKey(pem);
    const certificate = new X509Certificate(pem);
    if (!certificate.checkPrivateKey(key)) throw new Error('the key is not the one of the certificate');
    return {
      certPem: certificate.toString(),
      keyPem: key.export({ type: 'pkcs8', format: 'pem' }).toString(),
      pin: pinOf(certificate.publicKey),
    };
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new Error(
      `${path} holds no usable TLS key and certificate (${why}): restore it from a backup; ` +
        'if it is removed, a new key is made, and every Runner and client must join again',
      { cause: error },
    );
  }
}
