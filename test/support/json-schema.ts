/** The part of JSON Schema 2020-12 that our documents use. */
export interface JsonSchema {
  $ref?: string;
  type?: string | string[];
  enum?: unknown[];
  const?: unknown;
  properties?: Record<string, JsonSchema>;
  required?: string[];
  additionalProperties?: boolean | JsonSchema;
  propertyNames?: JsonSchema;
  items?: JsonSchema;
  minItems?: number;
  maxItems?: number;
  anyOf?: JsonSchema[];
  oneOf?: JsonSchema[];
  allOf?: JsonSchema[];
  not?: JsonSchema;
  minimum?: number;
  maximum?: number;
  minLength?: number;
  maxLength?: number;
  pattern?: string;
}

type Resolve = (ref: string) => JsonSchema | undefined;

const handled = new Set([
  '$ref',
  '$schema',
  'type',
  'enum',
  'const',
  'properties',
  'required',
  'additionalProperties',
  'propertyNames',
  'items',
  'minItems',
  'maxItems',
  'anyOf',
  'oneOf',
  'allOf',
  'not',
  'minimum',
  'maximum',
  'minLength',
  'maxLength',
  'pattern',
  'description',
  'title',
  'default',
  'format',
  'examples',
]);

/** Where and why a value is not what the schema says; empty when it is. Throws at a keyword that it does not know. */
export function mismatches(
  schema: JsonSchema,
  value: unknown,
  { resolve, at = '' }: Partial<Place> & Pick<Place, 'resolve'>,
): string[] {
  const strange = Object.keys(schema).filter((key) => !handled.has(key));
  if (strange.length > 0) throw new Error(`the checker does not know ${strange.join(', ')} at ${at}`);
  if (schema.$ref !== undefined) {
    const target = resolve(schema.$ref);
    if (!target) throw new Error(`nothing at ${schema.$ref}`);
    return mismatches(target, value, { resolve, at });
  }
  return [
    ...ofType(schema, value, at),
    ...combined(schema, value, { resolve, at }),
    ...bounds(schema, value, at),
    ...(Array.isArray(value) && schema.items
      ? value.flatMap((one, index) => mismatches(schema.items ?? {}, one, { resolve, at: `${at}/${index}` }))
      : []),
    ...(isObject(value) ? ofObject(schema, value, { resolve, at }) : []),
  ];
}

function ofType({ type, enum: members, ...schema }: JsonSchema, value: unknown, at: string): string[] {
  const found: string[] = [];
  const types = type === undefined ? [] : [type].flat();
  if (types.length > 0 && !types.some((one) => isOfType(one, value)))
    found.push(`${at}: ${JSON.stringify(value)} is no ${types.join(' or ')}`);
  if (members && !members.includes(value))
    found.push(`${at}: ${JSON.stringify(value)} is none of ${JSON.stringify(members)}`);
  if ('const' in schema && schema.const !== value)
    found.push(`${at}: ${JSON.stringify(value)} is not ${JSON.stringify(schema.const)}`);
  return found;
}

function isOfType(type: string, value: unknown): boolean {
  switch (type) {
    case 'null':
      return value === null;
    case 'array':
      return Array.isArray(value);
    case 'object':
      return isObject(value);
    case 'integer':
      return Number.isInteger(value);
    default:
      return typeof value === type;
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

interface Place {
  resolve: Resolve;
  at: string;
}

function combined({ anyOf, oneOf, allOf, not }: JsonSchema, value: unknown, { resolve, at }: Place): string[] {
  const fits = (one: JsonSchema): boolean => mismatches(one, value, { resolve, at }).length === 0;
  return [
    ...(anyOf && !anyOf.some(fits) ? [`${at}: ${JSON.stringify(value)} fits none of its choices`] : []),
    ...(oneOf && oneOf.filter(fits).length !== 1
      ? [`${at}: ${JSON.stringify(value)} does not fit exactly one of its choices`]
      : []),
    ...(allOf ?? []).flatMap((one) => mismatches(one, value, { resolve, at })),
    ...(not && fits(not) ? [`${at}: must not be so`] : []),
  ];
}

function bounds(schema: JsonSchema, value: unknown, at: string): string[] {
  const size = typeof value === 'string' || Array.isArray(value) ? value.length : null;
  const isText = typeof value === 'string';
  const broken = [
    typeof value === 'number' && value < (schema.minimum ?? -Infinity),
    typeof value === 'number' && value > (schema.maximum ?? Infinity),
    size !== null && size < ((isText ? schema.minLength : schema.minItems) ?? 0),
    size !== null && size > ((isText ? schema.maxLength : schema.maxItems) ?? Infinity),
    isText && schema.pattern !== undefined && !new RegExp(schema.pattern, 'u').test(value),
  ];
  return broken.includes(true) ? [`${at}: ${JSON.stringify(value)} is out of bounds`] : [];
}

function ofObject(schema: JsonSchema, value: Record<string, unknown>, { resolve, at }: Place): string[] {
  const known = schema.properties ?? {};
  const others = Object.entries(value).filter(([key]) => !Object.hasOwn(known, key));
  const { additionalProperties: more, propertyNames: names } = schema;
  return [
    ...(schema.required ?? []).filter((key) => !(key in value)).map((key) => `${at}/${key}: is missing`),
    ...Object.entries(known).flatMap(([key, one]) =>
      key in value ? mismatches(one, value[key], { resolve, at: `${at}/${key}` }) : [],
    ),
    ...(more === false ? others.map(([key]) => `${at}/${key}: is not known`) : []),
    ...(isObject(more) ? others.flatMap(([key, one]) => mismatches(more, one, { resolve, at: `${at}/${key}` })) : []),
    ...(names ? Object.keys(value).flatMap((key) => mismatches(names, key, { resolve, at: `${at}/${key}` })) : []),
  ];
}
