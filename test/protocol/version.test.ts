import { createHash } from 'node:crypto';
import { toJsonSchema } from '@valibot/to-json-schema';
import type { GenericSchema } from 'valibot';
import { describe, expect, it } from 'vitest';
import { streamClaimsSchema, tokenTypes } from '../../src/protocol/credential.ts';
import {
  enrolAnswerSchema,
  enrolRequestSchema,
  formatSessionProof,
  macInput,
  sessionAnswerSchema,
} from '../../src/protocol/enrol.ts';
import { observedText, syncAnswerSchema, syncRequestSchema } from '../../src/protocol/sync.ts';
import { taskId } from '../../src/protocol/ids.ts';
import { hostTimeHeader, protocolVersion } from '../../src/protocol/version.ts';

const schemas: Record<string, GenericSchema> = {
  enrolRequest: enrolRequestSchema,
  enrolAnswer: enrolAnswerSchema,
  sessionAnswer: sessionAnswerSchema,
  syncRequest: syncRequestSchema,
  syncAnswer: syncAnswerSchema,
  streamClaims: streamClaimsSchema,
};

/** What Host and Runner must agree on, as one text. */
function wire(): string {
  const messages = Object.entries(schemas).map(
    ([name, schema]) => [name, toJsonSchema(schema, { errorMode: 'ignore' })] as const,
  );
  const seen = { task: taskId.fromCounter(7), attempt: 2, state: 'running' as const };
  const texts = {
    tokenTypes,
    hostTimeHeader,
    proof: formatSessionProof({ session: 's', seq: 1, mac: 'm' }),
    mac: macInput({ method: 'POST', path: '/p', bodyHash: 'h', seq: 1 }),
    observed: observedText([
      { ...seen, stuck: false },
      { ...seen, stuck: true },
      { ...seen, state: 'ended', stuck: false },
    ]),
  };
  return JSON.stringify({ ...Object.fromEntries(messages), texts });
}

/** Hash of the wire by version. A version that has been released keeps its hash for ever. */
const known: Record<string, string> = {
  '1.0': '549dd1beff3a529c17b9822b4e3db1a7',
};

describe('the wire between Host and Runner', () => {
  it('changes only with its version', () => {
    const version = `${protocolVersion.major}.${protocolVersion.minor}`;
    const hash = createHash('sha256').update(wire()).digest('hex').slice(0, 32);
    expect(
      hash,
      `The wire changed: raise the version in src/protocol/version.ts (the minor when the other side may leave the new fields out, else the major) and add '${hash}' for it here.`,
    ).toBe(known[version]);
  });

  it('is in the hash with its fields, not only by name', () => {
    for (const field of ['"appliedGeneration"', '"wantFull"', '"publicKey"', '"gpuUuids"', '"hostKeys"', '"purpose"'])
      expect(wire()).toContain(field);
  });
});
