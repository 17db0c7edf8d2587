import * as v from 'valibot';
import { credentialId, nodeId } from './ids.ts';
import { duration, labels, lenient, name, strict, text, wholeNumber } from './schema.ts';

const publicKey = v.pipe(v.string(), v.regex(/^[A-Za-z0-9_-]{43}$/, 'must be a raw Ed25519 public key in base64url'));
const pin = v.pipe(v.string(), v.regex(/^[A-Za-z0-9_-]{43}$/, 'must be a SHA-256 in base64url'));

/** Sent once, under a join token. The key pair is the Runner's own; the private half never leaves its machine. */
export const enrolRequestSchema = strict({
  protocol: strict({ major: wholeNumber, minor: wholeNumber }),
  name,
  publicKey,
  machineId: text(255),
  /** First labels of the node; later ones are set at the Host. */
  labels: v.optional(labels, {}),
  /** SHA-256 of the Runner's TLS public key (SPKI), which the Host pins; `null` when it speaks plain HTTP. */
  tlsPin: v.nullable(pin),
});
export type EnrolRequest = v.InferOutput<typeof enrolRequestSchema>;

/** A public key as JWK, with its `kid`. */
export const jwkSchema = v.record(v.string(), v.unknown());

export const enrolAnswerSchema = lenient({
  node: nodeId.schema,
  name: v.string(),
  cluster: v.string(),
  epoch: wholeNumber,
  hostTime: wholeNumber,
  hostKeys: v.array(jwkSchema),
});
export type EnrolAnswer = v.InferOutput<typeof enrolAnswerSchema>;

/** The Runner has proved its key; `key` signs its requests until `expiresAt` (Host time, ms). */
export const sessionAnswerSchema = lenient({
  session: v.string(),
  /** 32 bytes in base64url. */
  key: v.string(),
  expiresAt: wholeNumber,
  hostTime: wholeNumber,
  epoch: wholeNumber,
  hostKeys: v.array(jwkSchema),
});
export type SessionAnswer = v.InferOutput<typeof sessionAnswerSchema>;

export const joinTokenRequestSchema = strict({
  /** At most 24 h. */
  expires: v.optional(
    v.pipe(duration, v.minValue(1000, 'at least one second'), v.maxValue(86_400_000, 'at most 24 hours')),
    3_600_000,
  ),
  name: v.optional(name),
});

export const joinTokenAnswerSchema = lenient({ id: credentialId.schema, token: v.string(), expiresAt: v.string() });
export type JoinTokenAnswer = v.InferOutput<typeof joinTokenAnswerSchema>;

/**
 * The Authorization header of a Runner's request under its session:
 * `Weir session="…", seq="7", mac="…"`.
 */
export interface SessionProof {
  session: string;
  seq: number;
  mac: string;
}

const proofPattern = /^Weir session="([A-Za-z0-9_-]{1,64})", seq="(\d{1,15})", mac="([A-Za-z0-9_-]{43})"$/;

export function formatSessionProof(proof: SessionProof): string {
  return `Weir session="${proof.session}", seq="${proof.seq}", mac="${proof.mac}"`;
}

export function parseSessionProof(header: string): SessionProof | null {
  const match = proofPattern.exec(header);
  if (!match?.[1] || !match[2] || !match[3]) return null;
  return { session: match[1], seq: Number(match[2]), mac: match[3] };
}

/** What the MAC is over. `bodyHash` is the SHA-256 of the body in hexadecimal. */
export function macInput(request: { method: string; path: string; bodyHash: string; seq: number }): string {
  return `${request.method}\n${request.path}\n${request.bodyHash}\n${request.seq}`;
}
