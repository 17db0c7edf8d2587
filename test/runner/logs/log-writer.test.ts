import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, stat, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { systemClock } from '../../../src/lib/clock.ts';
import { chunk, openWriter, records, temporaryFolder, text, writeLog } from './support.ts';

const piece = fc.record({
  stream: fc.constantFrom<'stdout' | 'stderr'>('stdout', 'stderr'),
  bytes: fc.oneof(
    fc.uint8Array({ maxLength: 40 }),
    fc.integer({ min: 1, max: 1500 }).map((lines) => Buffer.from('line\n'.repeat(lines))),
  ),
});

describe('the log of an attempt', () => {
  it('gives back what was appended, by stream, time and offset', async () => {
    await using folder = await temporaryFolder();
    await writeLog(folder.path, [chunk(0, 'one\n'), chunk(1, 'two\n', 'stderr'), chunk(2, 'three')]);
    expect((await records(folder.path)).map(({ bytes, ...rest }) => ({ ...rest, text: bytes.toString() }))).toEqual([
      { stream: 'stdout', atUs: 1_700_000_000_000_000, offset: 0, text: 'one\n' },
      { stream: 'stderr', atUs: 1_700_000_000_000_001, offset: 4, text: 'two\n' },
      { stream: 'stdout', atUs: 1_700_000_000_000_002, offset: 8, text: 'three' },
    ]);
  });

  it('has the byte layout that is documented', async () => {
    await using folder = await temporaryFolder();
    await writeLog(folder.path, [chunk(0, 'hi\n', 'stderr')]);
    const file = await readFile(join(folder.path, 'log'));
    expect(file.readUInt32LE(0)).toBe(3);
    expect(file.readUInt8(4)).toBe(2);
    expect(file.readBigUInt64LE(5)).toBe(1_700_000_000_000_000n);
    expect(file.subarray(13, 16).toString()).toBe('hi\n');
    expect((await stat(join(folder.path, 'log'))).mode & 0o777).toBe(0o600);
  });

  it('loses and doubles nothing when it is cut at any byte, whatever the index says', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(piece, { minLength: 1, maxLength: 8 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.constantFrom('kept', 'torn', 'gone'),
        async (pieces, where, index) => {
          await using folder = await temporaryFolder();
          const chunks = pieces.map(({ stream, bytes }, n) => chunk(n, bytes, stream));
          {
            await using first = await openWriter(folder.path);
            for (const each of chunks) await first.writer.append(each);
          }
          const log = join(folder.path, 'log');
          await truncate(log, Math.floor((await stat(log)).size * where));
          const indexFile = join(folder.path, 'index');
          if (index === 'gone') await truncate(indexFile, 0);
          if (index === 'torn') await truncate(indexFile, Math.max(0, (await stat(indexFile)).size - 7));
          {
            await using again = await openWriter(folder.path);
            for (const each of chunks.slice(Number(again.writer.position ?? 0))) await again.writer.append(each);
            await again.writer.finish();
          }
          const whole = Buffer.concat(chunks.map(({ bytes }) => bytes));
          expect(Buffer.concat((await records(folder.path)).map(({ bytes }) => bytes)).equals(whole)).toBe(true);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('loses and doubles nothing when its process is killed again and again', { timeout: 30_000 }, async () => {
    await using folder = await temporaryFolder();
    const program = fileURLToPath(new URL('endless-writer.ts', import.meta.url));
    let before = 0;
    for (let round = 0; round < 3; round += 1) {
      const child = spawn(process.execPath, ['--import', 'tsx', program, folder.path], { stdio: 'inherit' });
      const ended = once(child, 'exit');
      while ((await logBytes(folder.path)) < before + 100_000) {
        if (child.exitCode !== null) throw new Error('the writer ended by itself');
        await systemClock.sleep(5);
      }
      child.kill('SIGKILL');
      await ended;
      before = await logBytes(folder.path);
    }
    await using again = await openWriter(folder.path);
    const count = Number(again.writer.position);
    await again.writer.finish();
    const expected = Array.from({ length: count }, (_, n) => `line ${n}\n`).join('');
    expect((await text(folder.path)) === expected).toBe(true);
  });

  it('takes zeros at the end, as a power cut leaves them, for nothing', async () => {
    await using folder = await temporaryFolder();
    {
      await using first = await openWriter(folder.path);
      await first.writer.append(chunk(0, 'kept\n'));
    }
    const log = join(folder.path, 'log');
    await writeFile(log, Buffer.concat([await readFile(log), Buffer.alloc(5000)]));
    expect(await text(folder.path)).toBe('kept\n');
    await using again = await openWriter(folder.path);
    expect(again.writer.position).toBe('1');
    await again.writer.append(chunk(1, 'more\n'));
    await again.writer.finish();
    expect(await text(folder.path)).toBe('kept\nmore\n');
  });

  it('keeps the head when it is full, and says at the end how much was cut', async () => {
    await using folder = await temporaryFolder();
    const lines = Array.from({ length: 1000 }, (_, n) => chunk(n, `${n}`.padStart(99, '.') + '\n'));
    await writeLog(folder.path, lines, 20_000);
    const all = await text(folder.path);
    const note = /\n\[weir: (\d+) bytes of output were cut, the log is full at 20000 bytes\]\n$/.exec(all);
    const head = all.slice(0, note?.index);
    expect(
      lines
        .map(({ bytes }) => bytes.toString())
        .join('')
        .startsWith(head),
    ).toBe(true);
    expect(head.length + Number(note?.[1])).toBe(100_000);
    expect((await records(folder.path)).at(-1)?.stream).toBe('weir');
    expect((await stat(join(folder.path, 'log'))).size).toBeLessThan(20_500);
  });

  it('counts what it cut right over a restart, and does not grow while it cuts', async () => {
    await using folder = await temporaryFolder();
    const big = Buffer.alloc(1 << 20, 'x');
    {
      await using first = await openWriter(folder.path, 10_000);
      for (let n = 0; n < 40; n += 1) await first.writer.append(chunk(n, big));
    }
    const { size } = await stat(join(folder.path, 'log'));
    expect(size).toBeLessThan(10_500);
    await using again = await openWriter(folder.path, 10_000);
    const from = Number(again.writer.position);
    expect(from).toBeGreaterThan(20);
    for (let n = from; n < 50; n += 1) await again.writer.append(chunk(n, big));
    await again.writer.finish();
    const cut = Number(/weir: (\d+) bytes/.exec(await text(folder.path, { since: 9000 }))?.[1]);
    const kept = (await records(folder.path)).filter(({ stream }) => stream === 'stdout');
    expect(cut + kept.reduce((sum, { bytes }) => sum + bytes.length, 0)).toBe(50 << 20);
  });

  it('stays complete when it is opened again', async () => {
    await using folder = await temporaryFolder();
    await writeLog(folder.path, [chunk(0, 'all\n')]);
    await using again = await openWriter(folder.path);
    expect(again.writer.complete).toBe(true);
    expect(again.progress.closed).toBe(true);
  });

  it('goes on failing after a write has failed, and is whole again when reopened', async () => {
    await using folder = await temporaryFolder();
    const opened = await openWriter(folder.path);
    await opened.writer.append(chunk(0, 'kept\n'));
    await opened.writer[Symbol.asyncDispose]();
    await opened.writer.append(chunk(1, 'lost\n'));
    await expect(opened.writer.finish()).rejects.toThrow('file closed');
    await expect(opened.writer.append(chunk(2, 'lost\n'))).rejects.toThrow('file closed');
    await using again = await openWriter(folder.path);
    expect(again.writer.position).toBe('1');
  });
});

async function logBytes(dir: string): Promise<number> {
  return (await stat(join(dir, 'log')).catch(() => null))?.size ?? 0;
}
