import { DrizzleError, DrizzleQueryError } from 'drizzle-orm/errors';
import { ProblemError } from '../../protocol/problem.ts';

/**
 * What the database said no with. `code` is SQLite's extended name (`SQLITE_CONSTRAINT_UNIQUE`) or
 * one of the store's own (`CLIENT_CLOSED`, `DATABASE_LOCKED`, `NESTED_TRANSACTION`,
 * `TRANSACTION_CLOSED`, `WRITES_CLOSED`). Carries no SQL, no bound value and no cause.
 */
export class StoreError extends Error {
  override readonly name = 'StoreError';
  readonly code: string;
  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

/**
 * An error of drizzle or of a driver without the values that were bound; any other error, such as a refusal of ours, as it is.
 * `DrizzleQueryError` has them in its message, its `params` and, by some drivers, in its cause.
 */
export function toStoreError(error: unknown, params: readonly unknown[] = []): unknown {
  if (error instanceof StoreError || error instanceof ProblemError) return error;
  if (error instanceof DrizzleQueryError) return toStoreError(error.cause ?? new Error('query failed'), error.params);
  if (error instanceof DrizzleError && error.cause !== undefined) return toStoreError(error.cause, params);
  if (!(error instanceof Error) || !('code' in error)) return error;
  const extended = 'extendedCode' in error ? error.extendedCode : undefined;
  const code = extendedCode(String(extended ?? error.code), error.message);
  return new StoreError(
    code,
    mentions(error.message, params) ? `the database refused a value (${code})` : error.message,
  );
}

/** A server answers the short code alone, and which constraint it was in its words. */
function extendedCode(code: string, message: string): string {
  if (code !== 'SQLITE_CONSTRAINT') return code;
  if (message.includes('UNIQUE constraint failed')) return 'SQLITE_CONSTRAINT_UNIQUE';
  return message.includes('FOREIGN KEY constraint failed') ? 'SQLITE_CONSTRAINT_FOREIGNKEY' : code;
}

/** A row with this key is there already. */
export function isUniqueViolation(error: unknown): boolean {
  return (
    error instanceof StoreError &&
    (error.code === 'SQLITE_CONSTRAINT_UNIQUE' || error.code === 'SQLITE_CONSTRAINT_PRIMARYKEY')
  );
}

/** SQLite quotes a bad JSON path or a bad pattern; constraints are named by the schema alone. */
function mentions(message: string, params: readonly unknown[]): boolean {
  if (message.includes('constraint failed')) return false;
  return params.some((param) => typeof param === 'string' && param !== '' && message.includes(param));
}
