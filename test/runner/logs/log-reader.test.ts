import { truncate } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { LogChunk } from '../../../src/runner/backend/backend.ts';
import { type LogRecord, readLog, readLogExtent } from '../../../src/runner/logs/log-reader.ts';
import { chunk, never, openWriter, records, temporaryFolder, text, writeLog } from './support.ts';

const baseUs = 1_700_000_000_000_000;

/** Lines of varying length, some split over chunks, on both streams. */
function manyChunks(): LogChunk[] {
  return Array.from({ length: 9000 }, (_, n) => {
    const stream = n % 3 === 0 ? 'stderr' : 'stdout';
    return chunk(n, `${stream} ${n} ${'.'.repeat(n % 50)}\n`, stream);
  });
}

function model(chunks: LogChunk[], stream?: 'stdout' | 'stderr'): { bytes: Buffer; from(offset: number): Buffer } {
  const wanted = (each: LogChunk): boolean => stream === undefined || each.stream === stream;
  const concat = (parts: Uint8Array[]): Buffer => Buffer.concat(parts);
  return {
    bytes: concat(chunks.filter(wanted).map(({ bytes }) => bytes)),
    from(offset) {
      let at = 0;
      return concat(
        chunks.flatMap((each) => {
          const begin = Math.min(each.bytes.length, Math.max(0, offset - at));
          at += each.bytes.length;
          return wanted(each) ? [each.bytes.subarray(begin)] : [];
        }),
      );
    },
  };
}

describe('reading a log', () => {
  it('begins at any offset, of both streams or one', async () => {
    await using folder = await temporaryFolder();
    const chunks = manyChunks();
    await writeLog(folder.path, chunks);
    const total = model(chunks).bytes.length;
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 0, max: total + 10 }),
        fc.constantFrom(undefined, 'stdout' as const, 'stderr' as const),
        async (since, stream) => {
          const got = await text(folder.path, stream === undefined ? { since } : { since, stream });
          expect(got).toBe(model(chunks, stream).from(since).toString());
        },
      ),
      { numRuns: 40 },
    );
  });

  it('gives the last lines as tail does, with and without an end of the last one', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.constantFrom('a\n', 'bb', '\n', 'c\nd\n', 'e'.repeat(300), 'f\n'.repeat(1200)), { maxLength: 12 }),
        fc.integer({ min: 0, max: 1500 }),
        async (parts, tail) => {
          await using folder = await temporaryFolder();
          await writeLog(
            folder.path,
            parts.map((part, n) => chunk(n, part)),
          );
          const lines = parts
            .join('')
            .split(/(?<=\n)/)
            .filter((line) => line !== '');
          expect(await text(folder.path, { tail })).toBe(tail === 0 ? '' : lines.slice(-tail).join(''));
        },
      ),
      { numRuns: 60 },
    );
  });

  it('counts the last lines of one stream only when one is asked for', async () => {
    await using folder = await temporaryFolder();
    const chunks = manyChunks();
    await writeLog(folder.path, chunks);
    const lines = model(chunks, 'stderr')
      .bytes.toString()
      .split(/(?<=\n)/);
    expect(await text(folder.path, { tail: 1234, stream: 'stderr' })).toBe(lines.slice(-1234).join(''));
  });

  it('leaves out what is older than a time', async () => {
    await using folder = await temporaryFolder();
    const chunks = manyChunks();
    await writeLog(folder.path, chunks);
    const got = await records(folder.path, { sinceTimeUs: baseUs + 4321 });
    expect(got[0]?.atUs).toBe(baseUs + 4321);
    expect(got).toHaveLength(9000 - 4321);
  });

  it('stops at an offset when told to', async () => {
    await using folder = await temporaryFolder();
    await writeLog(folder.path, [chunk(0, 'abcdef'), chunk(1, 'ghij')]);
    expect(await text(folder.path, { since: 2, until: 8 })).toBe('cdefgh');
  });

  it('does the same without its index', async () => {
    await using folder = await temporaryFolder();
    const chunks = manyChunks();
    await writeLog(folder.path, chunks);
    await truncate(join(folder.path, 'index'), 0);
    expect(await text(folder.path, { since: 150_000 })).toBe(model(chunks).from(150_000).toString());
    expect(await text(folder.path, { tail: 1 })).toBe(chunks.at(-1)?.bytes.toString());
  });

  it('says how far a log goes and whether that is all', async () => {
    await using folder = await temporaryFolder();
    expect(await readLogExtent({ dir: folder.path, progress: null })).toBeNull();
    {
      await using opened = await openWriter(folder.path);
      await opened.writer.append(chunk(0, 'half'));
    }
    expect(await readLogExtent({ dir: folder.path, progress: null })).toEqual({ endOffset: 4, complete: false });
    await writeLog(folder.path, []);
    expect(await readLogExtent({ dir: folder.path, progress: null })).toEqual({ endOffset: 4, complete: true });
  });

  it('ends when the signal aborts, though the log goes on', async () => {
    await using folder = await temporaryFolder();
    await using opened = await openWriter(folder.path);
    await opened.writer.append(chunk(0, 'first\n'));
    const stop = new AbortController();
    const got: string[] = [];
    for await (const { bytes } of follow(folder.path, opened.progress, stop.signal)) {
      got.push(bytes.toString());
      stop.abort();
    }
    expect(got).toEqual(['first\n']);
  });
});

describe('following a log', () => {
  it('tells what comes as it comes, to several, and ends when the log is complete', async () => {
    await using folder = await temporaryFolder();
    await using opened = await openWriter(folder.path);
    const readers = [1, 2, 3].map(() => follow(folder.path, opened.progress, never));
    const expected: string[] = [];
    for (let n = 0; n < 50; n += 1) {
      expected.push(`line ${n}\n`);
      await opened.writer.append(chunk(n, `line ${n}\n`));
      if (n % 10 === 0) {
        for (const reader of readers) expect(await readUntil(reader, `line ${n}\n`)).toBe(true);
      }
    }
    await opened.writer.finish();
    for (const reader of readers) {
      const rest: string[] = [];
      for await (const { bytes } of reader) rest.push(bytes.toString());
      expect(rest.join('')).toBe(expected.slice(41).join(''));
    }
  });

  it('never shows a half-written record while a writer writes', async () => {
    await using folder = await temporaryFolder();
    await using opened = await openWriter(folder.path);
    const line = `${'x'.repeat(997)}\n`;
    const writing = (async () => {
      for (let n = 0; n < 3000; n += 1) await opened.writer.append(chunk(n, line));
      await opened.writer.finish();
    })();
    let lines = 0;
    for await (const { bytes } of follow(folder.path, opened.progress, never)) {
      if (bytes.toString() !== line) throw new Error('torn');
      lines += 1;
    }
    await writing;
    expect(lines).toBe(3000);
  });

  it('costs neither memory nor the writer anything when the reader does not read', async () => {
    await using folder = await temporaryFolder();
    await using opened = await openWriter(folder.path);
    await opened.writer.append(chunk(0, 'first\n'));
    const idle = Array.from({ length: 20 }, () => follow(folder.path, opened.progress, never));
    for (const reader of idle) await reader.next();
    const before = process.memoryUsage();
    const block = Buffer.alloc(1 << 20, 'y');
    for (let n = 1; n <= 64; n += 1) await opened.writer.append(chunk(n, block));
    await opened.writer.finish();
    const after = process.memoryUsage();
    expect(after.arrayBuffers - before.arrayBuffers).toBeLessThan(40 << 20);
    const rest = await idle[0]?.next();
    expect(rest?.done).toBe(false);
    for (const reader of idle) await reader.return(undefined);
  });
});

function follow(dir: string, progress: Awaited<ReturnType<typeof openWriter>>['progress'], signal: AbortSignal) {
  return readLog({ dir, progress }, { follow: 'yes' }, signal);
}

async function readUntil(reader: AsyncGenerator<LogRecord, void>, last: string): Promise<boolean> {
  for (;;) {
    const { value, done } = await reader.next();
    if (done) return false;
    if (value?.bytes.toString() === last) return true;
  }
}
