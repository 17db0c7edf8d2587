import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { demux } from '../../../../src/runner/backend/docker/demux.ts';
import { parseTimeMs, parseTimeUs } from '../../../../src/runner/backend/docker/engine-time.ts';
import { createJsonFileParser } from '../../../../src/runner/backend/docker/json-file.ts';
import { jsonLines } from '../../../../src/runner/backend/docker/lines.ts';

const time = '2026-11-23T20:28:01.123456789Z';

function jsonFile(records: readonly (readonly ['stdout' | 'stderr', string])[]): Buffer {
  return Buffer.from(records.map(([stream, log]) => `${JSON.stringify({ log, stream, time })}\n`).join(''));
}

/** Cuts bytes at any places. */
function cut(bytes: Buffer, places: readonly number[]): Buffer[] {
  const ends = [...places.map((place) => place % (bytes.length + 1)), bytes.length].toSorted((a, b) => a - b);
  return ends.map((end, at) => bytes.subarray(ends[at - 1] ?? 0, end));
}

async function* each<T>(items: readonly T[]): AsyncGenerator<T> {
  yield* items;
}

const streams = fc.constantFrom('stdout' as const, 'stderr' as const);
const someRecords = fc.array(fc.tuple(streams, fc.string({ unit: 'binary' })), { maxLength: 8 });
const places = fc.array(fc.nat(), { maxLength: 8 });

describe('the json-file', () => {
  it('gives the same records however its bytes arrive, and goes on from each position', () => {
    fc.assert(
      fc.property(someRecords, places, (records, at) => {
        const bytes = jsonFile(records);
        const parser = createJsonFileParser(0);
        const chunks = cut(bytes, at).flatMap((part) => parser.push(part));
        const wanted = records.map(([stream, log]) => [stream, Buffer.from(log).toString('hex')]);
        const read = (all: typeof chunks) => all.map((one) => [one.stream, Buffer.from(one.bytes).toString('hex')]);
        expect(read(chunks)).toEqual(wanted);
        chunks.forEach((chunk, index) => {
          const offset = Number(chunk.position);
          expect(read(createJsonFileParser(offset).push(bytes.subarray(offset)))).toEqual(wanted.slice(index + 1));
        });
      }),
    );
  });

  it('keeps a record without a line feed as it is: the next one goes on', () => {
    const chunks = createJsonFileParser(0).push(
      jsonFile([
        ['stdout', 'half'],
        ['stdout', ' done\n'],
      ]),
    );
    expect(Buffer.concat(chunks.map((chunk) => chunk.bytes)).toString()).toBe('half done\n');
  });

  it('leaves out what a crash has torn and what a punched hole has taken', () => {
    const whole = jsonFile([['stdout', 'whole\n']]);
    const torn = Buffer.from('{"log":"to\n');
    const bytes = Buffer.concat([Buffer.alloc(4096), Buffer.from('end of a line"}\n'), torn, Buffer.alloc(8), whole]);
    const chunks = createJsonFileParser(0).push(bytes);
    expect(chunks.map((chunk) => Buffer.from(chunk.bytes).toString())).toEqual(['whole\n']);
    expect(chunks[0]?.position).toBe(String(bytes.length));
  });
});

it('the multiplexed stream gives the same frames however its bytes arrive', async () => {
  await fc.assert(
    fc.asyncProperty(someRecords, places, async (records, at) => {
      const frames = records.map(([stream, log]) => {
        const payload = Buffer.from(log);
        const header = Buffer.from([stream === 'stderr' ? 2 : 1, 0, 0, 0, 0, 0, 0, 0]);
        header.writeUInt32BE(payload.length, 4);
        return Buffer.concat([header, payload]);
      });
      const read: [string, string][] = [];
      for await (const frame of demux(each(cut(Buffer.concat(frames), at)))) {
        read.push([frame.stream, frame.bytes.toString('hex')]);
      }
      expect(read).toEqual(records.map(([stream, log]) => [stream, Buffer.from(log).toString('hex')]));
    }),
  );
});

it('lines of JSON are read across the borders of chunks, others left out', async () => {
  const values: unknown[] = [];
  for await (const { value } of jsonLines(each(['{"a":', '1}\nno json\n', '\n{"b":2}']))) values.push(value);
  expect(values).toEqual([{ a: 1 }, { b: 2 }]);
});

it('times of the engine keep their microseconds', () => {
  expect(parseTimeUs(time)).toBe(Date.UTC(2026, 10, 23, 20, 28, 1) * 1000 + 123_456);
  expect(parseTimeUs('2026-11-23T21:28:01+01:00')).toBe(Date.UTC(2026, 10, 23, 20, 28, 1) * 1000);
  expect(parseTimeMs('0001-01-01T00:00:00Z')).toBeNull();
  expect(parseTimeMs(undefined)).toBeNull();
});
