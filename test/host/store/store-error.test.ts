import { DrizzleError, DrizzleQueryError } from 'drizzle-orm/errors';
import { describe, expect, it } from 'vitest';
import { isUniqueViolation, StoreError, toStoreError } from '../../../src/host/store/store-error.ts';

const secret = 'canary-7f3a';

function driverError(message: string, more: object = {}): Error {
  return Object.assign(new Error(message), { code: 'SQLITE_ERROR', ...more });
}

describe('toStoreError', () => {
  it('takes the values out of what drizzle and a server driver say', () => {
    const cause = driverError('SQLite error: UNIQUE constraint failed: t.a', {
      code: 'SQLITE_CONSTRAINT',
      extendedCode: 'SQLITE_CONSTRAINT_UNIQUE',
    });
    const query = new DrizzleQueryError('insert into t values (?)', [secret], cause);
    const error = toStoreError(new DrizzleError({ message: 'Failed to run the query', cause: query }));
    expect(error).toBeInstanceOf(StoreError);
    expect(error).toMatchObject({ code: 'SQLITE_CONSTRAINT_UNIQUE' });
    expect(error).not.toHaveProperty('cause');
    expect(String(error)).toBe('StoreError: SQLite error: UNIQUE constraint failed: t.a');
    expect(isUniqueViolation(error)).toBe(true);
  });

  it('does not repeat a message that quotes a value', () => {
    const error = toStoreError(driverError(`bad JSON path: '${secret}'`), [1, secret]);
    expect(String(error)).toBe('StoreError: the database refused a value (SQLITE_ERROR)');
  });

  it('keeps a message that quotes none', () => {
    expect(String(toStoreError(driverError('no such table: t'), [secret, '']))).toBe('StoreError: no such table: t');
  });

  it('a query that failed for no known cause shows no value either', () => {
    expect(String(toStoreError(new DrizzleQueryError('select ?', [secret])))).toBe('Error: query failed');
  });

  it.each([new TypeError('mine'), new StoreError('CLIENT_CLOSED', 'closed'), 'text'])(
    'gives %s back as it is',
    (error) => {
      expect(toStoreError(error)).toBe(error);
    },
  );
});
