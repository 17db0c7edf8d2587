import type { InArgs, InValue, ResultSet, Row, Value } from '@libsql/client';

const longest = 2n ** 63n;

/**
 * Arguments as the binding takes them, by position or by name without its sigil. Total on purpose:
 * a boolean reaches a `todo!` in the binding and aborts the process, NaN becomes NULL, an integer
 * number becomes REAL, a bigint beyond 64 bits wraps, and text is cut at its first NUL.
 */
export function bindArgs(args: InArgs): unknown[] | Record<string, unknown> {
  if (Array.isArray(args)) return args.map(bindValue);
  const named: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(args)) {
    named[/^[@$:]/.test(name) ? name.slice(1) : name] = bindValue(value);
  }
  return named;
}

function bindValue(value: InValue): null | bigint | number | string | Uint8Array {
  switch (typeof value) {
    case 'number':
      return bindNumber(value);
    case 'string':
      if (value.includes('\0')) throw new TypeError('the database takes no text with a NUL in it');
      return value;
    case 'bigint':
      if (value >= longest || value < -longest) {
        throw new RangeError('the database takes no integer beyond 64 bits');
      }
      return value;
    case 'boolean':
      return value ? 1n : 0n;
    default:
      return bindObject(value);
  }
}

function bindNumber(value: number): bigint | number {
  if (!Number.isFinite(value)) throw new RangeError('the database takes no NaN and no Infinity');
  return Number.isSafeInteger(value) ? BigInt(value) : value;
}

function bindObject(value: unknown): null | bigint | number | Uint8Array {
  if (value === null) return null;
  if (value instanceof Date) return bindNumber(value.valueOf());
  if (value instanceof Uint8Array) return Buffer.from(value.buffer, value.byteOffset, value.length);
  if (value instanceof ArrayBuffer) return Buffer.from(value);
  throw new TypeError(`the database takes no value of type ${typeof value}`);
}

/**
 * Makes rows that are read by index and by name, as those of `@libsql/client`. The first column of a
 * name wins; `length` and the indexes mean what they mean.
 */
export function rowMaker(columns: readonly string[]): (values: Value[]) => Row {
  const named = [...columns.entries()].filter(
    ([index, name]) => name !== 'length' && columns[Number(name)] === undefined && columns.indexOf(name) === index,
  );
  class StoredRow {
    readonly #values: Value[];
    [name: string]: Value;
    constructor(values: Value[]) {
      this.#values = values;
      for (const [index, name] of named) this[name] = values[index] ?? null;
    }
    static at(row: StoredRow, index: number): Value {
      return row.#values[index] ?? null;
    }
  }
  Object.defineProperty(StoredRow.prototype, 'length', { value: columns.length });
  for (const index of columns.keys()) {
    Object.defineProperty(StoredRow.prototype, index, {
      get(this: StoredRow) {
        return StoredRow.at(this, index);
      },
    });
  }
  return (values) => new StoredRow(values) as unknown as Row;
}

/**
 * Values as read with safe integers on, in place: integers as numbers, blobs as ArrayBuffer.
 * Throws a RangeError for an integer that a number cannot hold.
 */
export function readValues(values: unknown[]): Value[] {
  for (let index = 0; index < values.length; index++) {
    const value = values[index];
    if (typeof value === 'bigint') values[index] = readInteger(value);
    else if (value instanceof Uint8Array) values[index] = Uint8Array.from(value).buffer;
  }
  return values as Value[];
}

function readInteger(value: bigint): number {
  const number = Number(value);
  if (!Number.isSafeInteger(number)) {
    throw new RangeError('the database holds an integer that a number cannot hold');
  }
  return number;
}

export function readResult(columns: string[], columnTypes: string[], rows: Row[]): ResultSet {
  return { columns, columnTypes, rows, rowsAffected: 0, lastInsertRowid: undefined, toJSON };
}

export function writeResult(rowsAffected: number, lastInsertRowid: bigint): ResultSet {
  return { columns: [], columnTypes: [], rows: [], rowsAffected, lastInsertRowid, toJSON };
}

/** JSON has no bigint. */
function toJSON(this: ResultSet): unknown {
  return { ...this, lastInsertRowid: this.lastInsertRowid?.toString() };
}
