import * as v from 'valibot';
import { parseBytes } from '../lib/bytes.ts';
import { parseDuration } from '../lib/duration.ts';

type Run = v.GenericSchema['~run'];

/**
 * Puts `around` in front of a schema's own run. That is called on whichever schema it is called of: `v.omit` and its like
 * copy the run onto schemas with other entries.
 */
function wrapRun<const S extends v.GenericSchema>(
  schema: S,
  around: (run: Run, ...args: Parameters<Run>) => ReturnType<Run>,
): S {
  const run: Run = schema['~run'];
  const wrapped = function (this: v.GenericSchema, ...args: Parameters<Run>): ReturnType<Run> {
    return around(run.bind(this), ...args);
  };
  return Object.defineProperty(schema, '~run', { value: wrapped });
}

/** valibot's own objects and records accept arrays; ours refuse them, with the JSON schema unchanged. */
function refuseArrays<const S extends v.GenericSchema>(schema: S): S {
  return wrapRun(schema, (run, dataset, config) => {
    // A text takes the schema's own way to the issue, and shows what was given.
    const seen = Array.isArray(dataset.value) ? { ...dataset, value: JSON.stringify(dataset.value) } : dataset;
    return run(seen, config);
  });
}

/** An object with exactly these fields: another one is an issue at its path. */
export function strict<const E extends v.ObjectEntries>(entries: E): v.StrictObjectSchema<E, undefined> {
  return refuseArrays(v.strictObject(entries));
}

/** An object of which only these fields are read: for what a newer peer may send. */
export function lenient<const E extends v.ObjectEntries>(entries: E): v.ObjectSchema<E, undefined> {
  return refuseArrays(v.object(entries));
}

type Key = v.BaseSchema<string, string, v.BaseIssue<unknown>>;

export function dictionary<const K extends Key, const V extends v.GenericSchema>(
  key: K,
  value: V,
): v.RecordSchema<K, V, undefined> {
  return refuseArrays(refuseLostKeys(v.record(key, value)));
}

/** Keys that valibot's records leave out without a word. */
const lostKeys = ['__proto__', 'prototype', 'constructor'];

function refuseLostKeys<const S extends v.GenericSchema>(schema: S): S {
  return wrapRun(schema, (run, dataset, config) => {
    const input = dataset.value;
    const result = run(dataset, config);
    if (typeof input !== 'object' || input === null) return result;
    for (const key of lostKeys.filter((one) => Object.hasOwn(input, one))) {
      const path: [v.UnknownPathItem] = [{ type: 'unknown', origin: 'key', input, key, value: key }];
      v._addIssue(schema, 'key', result, config, { input: key, message: 'this key cannot be used', path });
    }
    return result;
  });
}

const nul = String.fromCharCode(0);

/** Text without NUL, which neither an argument of a process nor a column of the database can hold. */
export const text = (most: number): v.GenericSchema<string> =>
  v.pipe(
    v.string(),
    v.maxLength(most, `at most ${most} characters`),
    v.check((value) => !value.includes(nul), 'must not contain a NUL character'),
  );

export const wholeNumber = v.pipe(v.number(), v.safeInteger(), v.minValue(0));

/** UTC, RFC 3339, with milliseconds. */
export const timestamp = v.pipe(v.string(), v.isoTimestamp());

/** Text such as `30s` or whole milliseconds; milliseconds inside. */
export const duration = v.pipe(
  v.union([v.string(), v.number()], 'must be a duration such as "30s" or "1h30m", or whole milliseconds'),
  v.description('Text such as `30s` or `1h30m`, or whole milliseconds.'),
  v.rawTransform(({ dataset, addIssue, NEVER }) => {
    const ms = typeof dataset.value === 'string' ? parseDuration(dataset.value) : dataset.value;
    if (ms !== null && Number.isSafeInteger(ms) && ms >= 0) return ms;
    addIssue({ message: `must be a duration such as "30s" or "1h30m", not ${JSON.stringify(dataset.value)}` });
    return NEVER;
  }),
);

/** Text such as `64MiB` or whole bytes; bytes inside. */
export const byteSize = v.pipe(
  v.union([v.string(), v.number()], 'must be a size such as "512MiB" or "8G", or whole bytes'),
  v.description('Text such as `64MiB` or `8G`, or whole bytes.'),
  v.rawTransform(({ dataset, addIssue, NEVER }) => {
    const bytes = typeof dataset.value === 'string' ? parseBytes(dataset.value) : dataset.value;
    if (bytes !== null && Number.isSafeInteger(bytes) && bytes >= 0) return bytes;
    addIssue({ message: `must be a size such as "512MiB" or "8G", not ${JSON.stringify(dataset.value)}` });
    return NEVER;
  }),
);

/** A name of a task, node or label's owner: what a person types and a shell leaves alone. */
export const name = v.pipe(
  v.string(),
  v.regex(/^[A-Za-z0-9](?:[A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$/, 'must be 1 to 63 letters, digits, ".", "_" or "-"'),
);

const labelKey = v.pipe(
  v.string(),
  v.regex(
    /^[A-Za-z0-9](?:[A-Za-z0-9._/-]{0,61}[A-Za-z0-9])?$/,
    'a label key is 1 to 63 letters, digits, ".", "_", "/" or "-"',
  ),
  v.check((key) => !key.startsWith('weir.'), 'label keys that begin with "weir." are Weir\'s own'),
);

const labelValue = text(255);

export const labels = v.pipe(
  dictionary(labelKey, labelValue),
  v.check((all) => Object.keys(all).length <= 64, 'at most 64 labels'),
);

/** Labels to set; `null` takes one away. */
export const labelChanges = v.pipe(
  dictionary(labelKey, v.nullable(labelValue)),
  v.check((all) => Object.keys(all).length <= 64, 'at most 64 labels'),
);
