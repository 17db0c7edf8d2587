import { CliError } from '../cli-error.ts';
import { exitCodes } from '../exit-codes.ts';

interface Issue {
  readonly message: string;
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}
type Result<T> = { readonly value: T; readonly issues?: undefined } | { readonly issues: readonly Issue[] };

/** The part of a schema of `protocol` that reading takes (Standard Schema v1). */
export interface Schema<T> {
  readonly '~standard': { validate(value: unknown): Result<T> | Promise<Result<T>> };
}

const keyOf = (part: PropertyKey | { readonly key: PropertyKey }): string =>
  String(typeof part === 'object' ? part.key : part);

/**
 * Reads what the Host answered.
 * @throws CliError `bad_answer` when it is something else, which another version of Weir may say.
 */
export function read<T>(schema: Schema<T>, value: unknown): T {
  const result = schema['~standard'].validate(value);
  if (result instanceof Promise) throw new TypeError('the schemas of the wire are synchronous');
  if (result.issues === undefined) return result.value;
  const [first] = result.issues;
  const pointer = (first?.path ?? []).map((part) => `/${keyOf(part)}`).join('');
  throw new CliError(`the answer is not understood at ${pointer || '/'}: ${first?.message ?? 'unknown'}`, {
    exitCode: exitCodes.failure,
    code: 'bad_answer',
    fix: 'use the `weir` of the same version as the Host (`weir version --host`), or -o json',
  });
}
