/** The cryptography that runs on hot paths, synchronous; passed in so that the simulation is repeatable. */
export interface Hashes {
  /** SHA-256 in lower-case hexadecimal. */
  sha256(data: string | Uint8Array): string;
  /** HMAC-SHA-256 in base64url without padding. */
  hmac(key: Uint8Array, data: string): string;
  /** Compares in time that does not depend on where the two differ. */
  equal(a: string, b: string): boolean;
}

export interface Random {
  bytes(length: number): Uint8Array;
  /** 0 ≤ n < 1; not for secrets. */
  fraction(): number;
}

/** Unpadded base64url of bytes (RFC 4648 §5). */
export function toBase64Url(bytes: Uint8Array): string {
  let binary = '';
  for (const byte of bytes) binary += String.fromCharCode(byte);
  return btoa(binary).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
}

/** Reads base64url; `null` when it is something else. */
export function fromBase64Url(text: string): Uint8Array | null {
  if (!/^[A-Za-z0-9_-]*$/.test(text)) return null;
  try {
    const binary = atob(text.replaceAll('-', '+').replaceAll('_', '/'));
    return Uint8Array.from(binary, (letter) => letter.charCodeAt(0));
  } catch {
    return null;
  }
}
