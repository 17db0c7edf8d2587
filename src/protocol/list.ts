import * as v from 'valibot';
import { lenient, wholeNumber } from './schema.ts';

/** Every list: `cursor` is null at the end, `asOf` is the number of the last event that it includes. */
export function listSchema<const S extends v.GenericSchema>(
  item: S,
): v.ObjectSchema<
  {
    items: v.ArraySchema<S, undefined>;
    cursor: v.NullableSchema<v.StringSchema<undefined>, undefined>;
    asOf: typeof wholeNumber;
  },
  undefined
> {
  return lenient({ items: v.array(item), cursor: v.nullable(v.string()), asOf: wholeNumber });
}

export interface List<T> {
  items: T[];
  cursor: string | null;
  asOf: number;
}

/** How many items a page has unless asked, and at the most. */
export const pageSize = { usual: 100, most: 1000 } as const;
