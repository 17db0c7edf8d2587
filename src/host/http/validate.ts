import type { Context } from 'hono';
import { validator } from 'hono-openapi';
import type * as v from 'valibot';
import { shorten } from '../../lib/text.ts';
import { ProblemError, type FieldError } from '../../protocol/problem.ts';

type Issue = v.BaseIssue<unknown>;

/** Validates a part of the request; what is wrong is refused with the path, the value and the reason of each field. */
export function validated<const S extends v.GenericSchema, const T extends 'json' | 'query' | 'param' | 'header'>(
  target: T,
  schema: S,
) {
  return validator(target, schema, (result, _c: Context) => {
    if (!result.success) throw invalid(target, result.error as readonly Issue[]);
  });
}

/** The refusal for what valibot found, as `unknown_field` when nothing else is wrong. */
export function invalid(target: string, issues: readonly Issue[]): ProblemError {
  const faults = issues.slice(0, 20).map((issue) => ({ issue, error: fieldError(issue) }));
  const [first] = faults;
  if (!first) throw new Error('a validation failed without an issue');
  const allUnknown = faults.every(({ issue }) => isUnknownKey(issue));
  const where =
    target === 'json' ? `field ${first.error.pointer || '/'}` : `${target} parameter ${first.error.pointer.slice(1)}`;
  return new ProblemError(allUnknown ? 'unknown_field' : 'invalid_field', `${where}: ${first.error.message}`, {
    fix: 'see /openapi.json for what is accepted',
    errors: faults.map(({ error }) => error),
  });
}

function fieldError(issue: Issue): FieldError {
  const pointer = (issue.path ?? [])
    .map((item) => `/${String(item.key).replaceAll('~', '~0').replaceAll('/', '~1')}`)
    .join('');
  if (isUnknownKey(issue)) return { pointer, message: 'is not a known field' };
  if (issue.received === 'undefined' && issue.input === undefined) return { pointer, message: 'is missing' };
  const shown = shorten(JSON.stringify(issue.input) ?? String(issue.input), 80);
  const ownWords = !issue.message.startsWith('Invalid ');
  if (ownWords)
    return { pointer, message: issue.message.includes(shown) ? issue.message : `${issue.message}, not ${shown}` };
  return { pointer, message: `must be ${issue.expected ?? 'valid'}, not ${shown}` };
}

function isUnknownKey(issue: Issue): boolean {
  return issue.kind === 'schema' && issue.expected === 'never';
}
