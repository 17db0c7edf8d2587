import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { pinOf, type TlsIdentity } from './tls-identity.ts';

export interface TlsFiles {
  /** PEM: the certificate, then those of its issuers. */
  cert: string;
  /** PEM, without a passphrase. */
  key: string;
}

/**
 * Reads a certificate and its key from files of an operator.
 * @throws Error that names the file that cannot be read, or says why the two do not belong together
 */
export async function readTlsFiles(files: TlsFiles): Promise<TlsIdentity> {
  const [certPem, keyPem] = await Promise.all([readFile(files.cert, 'utf8'), readFile(files.key, 'utf8')]);
  const certificate = parsed(files.cert, 'certificate', () => new X509Certificate(certPem));
  const key = parsed(files.key, 'private key', () => createPrivateKey(keyPem));
  if (!certificate.checkPrivateKey(key)) {
    throw new Error(`the key in ${files.key} is not the one of the certificate in ${files.cert}`);
  }
  return { certPem, keyPem, pin: pinOf(certificate.publicKey) };
}

/** The parser's own words may repeat what is in the file. */
function parsed<T>(path: string, what: string, parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    const why = error instanceof Error && 'code' in error ? ` (${String(error.code)})` : '';
    throw new Error(`${path} holds no usable ${what}${why}`);
  }
}
