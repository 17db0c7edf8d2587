import { createHash, createPublicKey, sign, X509Certificate, type KeyObject } from 'node:crypto';
import { bits, der, generalName, octets, oid, positive, sequence, set, time, utf8, yes } from './der.ts';

export interface CertificateRequest {
  /** P-256 private key; its public half is certified, and it signs. */
  key: KeyObject;
  commonName: string;
  /** Host names and IP addresses the certificate is for. */
  names: readonly string[];
  /** 16 random bytes. */
  serial: Uint8Array;
  notBeforeMs: number;
  notAfterMs: number;
}

const ecdsaWithSha256 = sequence(oid('1.2.840.10045.4.3.2'));
/** ub-common-name of RFC 5280, appendix A.1. */
const longestCommonName = 64;

/**
 * A self-signed X.509 v3 certificate of a TLS server, as PEM.
 * @throws TypeError when a name is neither a host name nor an IP address.
 */
export function selfSignedCertificate(request: CertificateRequest): string {
  const publicKey = createPublicKey(request.key).export({ type: 'spki', format: 'der' });
  const name = distinguishedName(request.commonName.slice(0, longestCommonName));
  const body = sequence(
    der(0xa0, positive(Buffer.of(2))),
    positive(request.serial),
    ecdsaWithSha256,
    name,
    sequence(time(request.notBeforeMs), time(request.notAfterMs)),
    name,
    publicKey,
    der(0xa3, extensions(request.names, publicKey)),
  );
  const signature = sign('sha256', body, request.key);
  return new X509Certificate(sequence(body, ecdsaWithSha256, bits(signature))).toString();
}

function distinguishedName(commonName: string): Buffer {
  return sequence(set(sequence(oid('2.5.4.3'), utf8(commonName))));
}

function extensions(names: readonly string[], publicKey: Uint8Array): Buffer {
  const keyId = createHash('sha1').update(publicKey).digest();
  return sequence(
    // Not an authority: Firefox refuses one as a server's certificate.
    sequence(oid('2.5.29.19'), yes, octets(sequence())),
    // digitalSignature alone: bit 0 of a string with 7 unused bits.
    sequence(oid('2.5.29.15'), yes, octets(der(0x03, Buffer.of(7, 0x80)))),
    sequence(oid('2.5.29.37'), octets(sequence(oid('1.3.6.1.5.5.7.3.1')))),
    sequence(oid('2.5.29.14'), octets(octets(keyId))),
    sequence(oid('2.5.29.17'), octets(sequence(...names.map(generalName)))),
  );
}
