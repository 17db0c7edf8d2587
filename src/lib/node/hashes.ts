import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Hashes, Random } from '../crypto.ts';

export const nodeHashes: Hashes = {
  sha256: (data) => createHash('sha256').update(data).digest('hex'),
  hmac: (key, data) => createHmac('sha256', key).update(data).digest('base64url'),
  equal(a, b) {
    const left = Buffer.from(a);
    const right = Buffer.from(b);
    return left.length === right.length && timingSafeEqual(left, right);
  },
};

export const nodeRandom: Random = {
  bytes: (length) => new Uint8Array(randomBytes(length)),
  fraction: () => Math.random(),
};
