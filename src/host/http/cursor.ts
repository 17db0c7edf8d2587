import { fromBase64Url, toBase64Url } from '../../lib/crypto.ts';
import { ProblemError } from '../../protocol/problem.ts';

/** No id is stored as a larger number. */
const largestKey = 2 ** 52;

/** A cursor carries the sort key of the last item of a page and nothing else. */
export function encodeCursor(key: number): string {
  return toBase64Url(new TextEncoder().encode(String(key)));
}

/** @throws ProblemError `invalid_field` when it is not one of ours */
export function decodeCursor(cursor: string): number {
  const bytes = fromBase64Url(cursor);
  const key = bytes === null ? Number.NaN : Number(new TextDecoder().decode(bytes));
  if (Number.isInteger(key) && key >= 0 && key <= largestKey && encodeCursor(key) === cursor) return key;
  throw new ProblemError('invalid_field', 'query parameter cursor: is not a cursor of this list', {
    fix: 'use the cursor of the page before as it is, or leave it out',
  });
}
