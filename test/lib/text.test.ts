import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeCounter, encodeCounter } from '../../src/lib/base32.ts';
import { formatBytes, parseBytes } from '../../src/lib/bytes.ts';
import { fromBase64Url, toBase64Url } from '../../src/lib/crypto.ts';
import { formatDuration, parseDuration } from '../../src/lib/duration.ts';
import { printable, shorten } from '../../src/lib/text.ts';

describe('a counter in base 32', () => {
  it('is read back, and longer is larger', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 ** 50 - 1 }), (value) => decodeCounter(encodeCounter(value)) === value),
    );
    expect([0, 31, 32, 1024].map(encodeCounter)).toEqual(['0', 'z', '10', '100']);
  });

  it('is nothing else', () => {
    for (const text of ['', '01', 'A', 'i', 'l', 'o', 'u', ' 1', '1 ', '-1', '1.5', '99999999999'])
      expect(decodeCounter(text)).toBeNull();
  });
});

describe('a size', () => {
  it.each([
    ['4096', 4096],
    ['64MiB', 67_108_864],
    ['64 mib', 67_108_864],
    ['1.5G', 1_500_000_000],
    ['2GB', 2_000_000_000],
    ['2GiB', 2_147_483_648],
    ['1Ki', 1024],
    ['0', 0],
    ['7B', 7],
    ['1P', 1e15],
  ])('%s is %d bytes', (text, bytes) => {
    expect(parseBytes(text)).toBe(bytes);
  });

  it.each(['', 'B', 'GiB', '-1', '1e3', '1,5G', '1.G', '.5G', '1GiBs', '1 G B', '9e9', '99999999P', 'NaN', '0x10'])(
    '"%s" is none',
    (text) => {
      expect(parseBytes(text)).toBeNull();
    },
  );

  it('is written as people say it, near enough to be read back', () => {
    expect([0, 1023, 1024, 67_108_864, 1.5 * 1024 ** 3].map(formatBytes)).toEqual([
      '0 B',
      '1023 B',
      '1 KiB',
      '64 MiB',
      '1.5 GiB',
    ]);
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 2 ** 52 }), (bytes) => {
        const read = parseBytes(formatBytes(bytes)) ?? Number.NaN;
        expect(Math.abs(read - bytes) / bytes).toBeLessThan(0.06);
      }),
    );
  });
});

describe('a duration', () => {
  it.each([
    ['30s', 30_000],
    ['1h30m', 5_400_000],
    ['250ms', 250],
    ['1.5h', 5_400_000],
    ['2d', 172_800_000],
    [' 1w ', 604_800_000],
    ['0s', 0],
  ])('%s is %d ms', (text, ms) => {
    expect(parseDuration(text)).toBe(ms);
  });

  it.each(
    ['', '30', 's', '-1s', '1s ', '1x', '1 h', '1h,30m', '1e3s', '1M', 'h1', '1h 30m', '5mm'].filter(
      (text) => text !== '1s ',
    ),
  )('"%s" is none', (text) => {
    expect(parseDuration(text)).toBeNull();
  });

  it('is written with its two largest units, and read back down to the smaller of them', () => {
    expect([0, 999, 1000, 90_000, 5_400_000, 90_061_000].map(formatDuration)).toEqual([
      '0ms',
      '999ms',
      '1s',
      '1m30s',
      '1h30m',
      '1d1h',
    ]);
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 1e12 }), (ms) => {
        const read = parseDuration(formatDuration(ms)) ?? Number.NaN;
        expect(read).toBeLessThanOrEqual(ms);
        expect(ms - read).toBeLessThan(Math.max(1000, ms / 24));
      }),
    );
  });
});

describe('base64url', () => {
  it('is read back', () => {
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        const text = toBase64Url(bytes);
        expect(text).toBe(Buffer.from(bytes).toString('base64url'));
        expect(fromBase64Url(text)).toEqual(bytes);
      }),
    );
  });

  it.each(['a', 'a+b', 'a/b', 'a=', 'ä', 'a b'])('"%s" is none', (text) => {
    expect(fromBase64Url(text)).toBeNull();
  });
});

describe('text of unknown origin', () => {
  it('has no way to command a terminal', () => {
    expect(printable('a\u001b[31mred\u009b0m\r\b\u0007\u007f')).toBe(String.raw`a\x1b[31mred\x9b0m\x0d\x08\x07\x7f`);
    expect(printable('tab\tand\nline, ü, 漢, 🙂')).toBe('tab\tand\nline, ü, 漢, 🙂');
    const isControl = (code: number): boolean =>
      (code < 0x20 && code !== 9 && code !== 10) || (code >= 0x7f && code < 0xa0);
    const codes = (text: string): number[] => Array.from(printable(text), (letter) => letter.codePointAt(0) ?? 0);
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => !codes(text).some(isControl)));
  });

  it('is cut with a sign that it was', () => {
    expect([shorten('abc', 3), shorten('abcd', 3)]).toEqual(['abc', 'ab…']);
  });
});
