import * as v from 'valibot';

/** `indexes` in order; at most `together` of them at a time, `null` means as many as fit. */
export interface ArrayRange {
  indexes: readonly number[];
  together: number | null;
}

/** Members of one array, checked before anything is expanded. */
export const mostMembers = 10_000;

const pattern = /^(\d{1,5}(?:-\d{1,5}(?::\d{1,5})?)?(?:,\d{1,5}(?:-\d{1,5}(?::\d{1,5})?)?)*)(?:%(\d{1,5}))?$/;

/**
 * Reads `0-99`, `0-99%10` (ten at a time), `0-20:5`, `1,4,7-9`; answers what is wrong with it as text. Nothing is expanded
 * before its size is known.
 */
export function parseArrayRange(text: string): ArrayRange | string {
  const match = pattern.exec(text);
  if (!match?.[1]) return 'must be indexes such as "0-99", "0-99%10" or "1,4,7-9"';
  const parts = match[1].split(',').map(parsePart);
  if (parts.some(({ first, last, step }) => last < first || step < 1))
    return 'a range goes from low to high, by steps of at least 1';
  if (parts.some(({ last }) => last > mostMembers)) return `indexes go up to ${mostMembers}`;
  const size = parts.reduce((sum, { first, last, step }) => sum + Math.floor((last - first) / step) + 1, 0);
  if (size > mostMembers) return `at most ${mostMembers} members, this is ${size}`;
  const indexes = [...new Set(parts.flatMap(expand))].toSorted((a, b) => a - b);
  if (indexes.length !== size) return 'an index is named twice';
  const together = match[2] === undefined ? null : Number(match[2]);
  return together === 0 ? 'at least one at a time: %1' : { indexes, together };
}

interface Part {
  first: number;
  last: number;
  step: number;
}

function parsePart(text: string): Part {
  const [range = '', step = '1'] = text.split(':');
  const [first = '', last = first] = range.split('-');
  return { first: Number(first), last: Number(last), step: Number(step) };
}

function expand({ first, last, step }: Part): number[] {
  return Array.from({ length: Math.floor((last - first) / step) + 1 }, (_, at) => first + at * step);
}

/** The text is kept as it was given: short, and what a person knows it by. */
export const arrayRange = v.pipe(
  v.string(),
  v.maxLength(1000, 'at most 1,000 characters'),
  v.rawCheck(({ dataset, addIssue }) => {
    if (!dataset.typed) return;
    const range = parseArrayRange(dataset.value);
    if (typeof range === 'string') addIssue({ message: range });
  }),
  v.description('Indexes such as `0-99`, `0-99%10` (ten at a time), `0-20:5` or `1,4,7-9`.'),
);
