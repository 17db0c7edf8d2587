import * as v from 'valibot';
import { type FieldError, ProblemError } from '../../protocol/problem.ts';
import { strict, timestamp } from '../../protocol/schema.ts';
import type { LogQuery } from '../logs/log-reader.ts';

const wholeText = v.pipe(v.string(), v.regex(/^\d{1,15}$/, 'must be a whole number'), v.transform(Number));

const querySchema = strict({
  follow: v.optional(v.picklist(['', 'true', '1', 'false', '0'], 'must be "true" or "false"'), 'false'),
  since: v.optional(wholeText),
  tail: v.optional(wholeText),
  stream: v.optional(v.picklist(['stdout', 'stderr'], 'must be "stdout" or "stderr"')),
  since_time: v.optional(timestamp),
});

/**
 * Reads `follow`, `since` (an offset), `tail` (lines), `stream` and `since_time` (RFC 3339).
 * @throws ProblemError `invalid_field`, `unknown_field`
 */
export function parseLogQuery(url: URL): LogQuery {
  const parsed = v.safeParse(querySchema, Object.fromEntries(url.searchParams));
  if (!parsed.success) throw queryProblem(parsed.issues);
  const { follow, since, tail, stream, since_time: sinceTime } = parsed.output;
  return {
    follow: ['', 'true', '1'].includes(follow) ? 'yes' : 'no',
    ...(since === undefined ? {} : { since }),
    ...(tail === undefined ? {} : { tail }),
    ...(stream === undefined ? {} : { stream }),
    ...(sinceTime === undefined ? {} : { sinceTimeUs: parseMicroseconds(sinceTime) }),
  };
}

function queryProblem(issues: readonly v.BaseIssue<unknown>[]): ProblemError {
  const errors = issues.map((issue): FieldError => ({
    pointer: `/${v.getDotPath(issue) ?? ''}`,
    message: issue.message,
  }));
  const isUnknown = issues.some(({ type }) => type === 'strict_object');
  const detail = errors.map(({ pointer, message }) => `${pointer.slice(1)}: ${message}`).join('; ');
  return new ProblemError(isUnknown ? 'unknown_field' : 'invalid_field', detail, { errors });
}

/** Microseconds since 1970; Date knows milliseconds only. */
export function parseMicroseconds(time: string): number {
  const digits = /\.\d{3}(\d{1,3})/.exec(time)?.[1] ?? '';
  return Date.parse(time) * 1000 + Number(digits.padEnd(3, '0'));
}

/** RFC 3339 with six digits, the inverse of `parseMicroseconds`. */
export function formatMicroseconds(us: number): string {
  const rest = String(us % 1000).padStart(3, '0');
  return new Date(Math.floor(us / 1000)).toISOString().replace('Z', `${rest}Z`);
}
