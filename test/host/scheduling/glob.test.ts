import { describe, expect, it } from 'vitest';
import { matchesGlob } from '../../../src/host/scheduling/glob.ts';

describe('a glob', () => {
  it.each([
    ['*A100*', 'NVIDIA A100-SXM4-40GB', true],
    ['*a100*', 'NVIDIA A100-SXM4-40GB', true],
    ['nvidia a100', 'NVIDIA A100-SXM4-40GB', false],
    ['T?', 'T4', true],
    ['T?', 'T', false],
    ['*', '', true],
    ['', '', true],
    ['', 'T4', false],
    ['*40GB*80GB', '40GB 40GB 80GB', true],
    ['[AT]4', 'T4', false],
    ['A.00', 'A100', false],
  ])('%j on %j is %j', (pattern, text, isMatch) => {
    expect(matchesGlob(pattern, text)).toBe(isMatch);
  });

  it('is answered at once, however many stars it has', () => {
    expect(matchesGlob(`${'*a'.repeat(30)}b`, 'a'.repeat(255))).toBe(false);
  });
});
