import { calculateJwkThumbprint } from 'jose';
import type { SigningKey } from '../../auth/keys.ts';

/** The cluster's Ed25519 key (PKCS#8, PEM or bare base64) by WebCrypto. @throws Error when it is none */
export async function importSigningKey(given: string): Promise<SigningKey & { kid: string }> {
  const bytes = Uint8Array.from(atob(given.replace(/-----[A-Z ]+-----|\s/g, '')), (letter) => letter.charCodeAt(0));
  const privateKey = await crypto.subtle.importKey('pkcs8', bytes, 'Ed25519', true, ['sign']);
  const { x } = await crypto.subtle.exportKey('jwk', privateKey);
  if (x === undefined) throw new Error('the signing key is not an Ed25519 key');
  const publicJwk = { kty: 'OKP', crv: 'Ed25519', x } as const;
  const kid = await calculateJwkThumbprint(publicJwk);
  return { privateKey, publicJwk: { ...publicJwk, kid, alg: 'EdDSA', use: 'sig' }, kid };
}
