import * as v from 'valibot';
import { pageSize } from '../../protocol/list.ts';
import { strict, text } from '../../protocol/schema.ts';

/** A query where none is taken: an option that does nothing is refused. */
export const noQuery = strict({});

/** An id, a name or a prefix in a path. */
export const reference = text(63);

/** `true` or `false` in a query; an empty value means true. */
export const flag = v.pipe(
  v.picklist(['true', 'false', ''], 'must be true or false'),
  v.transform((text) => text !== 'false'),
);

/** A whole number in a query. */
export const countParameter = v.pipe(
  v.string(),
  v.regex(/^\d{1,15}$/, 'must be a whole number'),
  v.transform((text) => Number(text)),
);

export const limitParameter = v.pipe(
  countParameter,
  v.minValue(1, 'at least 1'),
  v.maxValue(pageSize.most, `at most ${pageSize.most}`),
);
