import { closest } from './closest.ts';
import type { Fault } from './fault.ts';
import type { Given } from './given.ts';
import type { VariableForm } from './setting.ts';
import { namedSettings, settings, variableOf } from './settings.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

/** An empty variable is one that is not set. */
const isSet = (text: string | undefined): text is string => text !== undefined && text !== '';

/** The values that the environment gives. Variables of other people's come first: ours win over them. */
export function readEnvironment(env: Environment): { given: Given[]; faults: Fault[] } {
  const given = namedSettings.flatMap(({ path, setting }): Given[] => {
    const variable = variableOf(path);
    const text = env[variable];
    if (!isSet(text)) return [];
    const value = valueOfText(text.trim(), setting.form);
    return [{ path, value, origin: { kind: 'variable', variable } }];
  });
  return { given, faults: unknownVariables(env) };
}

/** What variables of other programs say in place of a default. */
export function readForeign(env: Environment): Given[] {
  return namedSettings.flatMap(({ path, setting: { foreign } }): Given[] => {
    const text = foreign ? env[foreign.variable] : undefined;
    if (!foreign || !isSet(text)) return [];
    const value = foreign.read(text);
    return value === null ? [] : [{ path, value, origin: { kind: 'foreign', variable: foreign.variable } }];
  });
}

/** What is not in its form stays text: the schema then says what it must be. */
function valueOfText(text: string, form: VariableForm): unknown {
  if (form !== 'text' && /^[[{]/.test(text)) return fromJson(text);
  switch (form) {
    case 'text':
    case 'json':
      return text;
    case 'number':
      return /^\d{1,15}$/.test(text) ? Number(text) : text;
    case 'switch':
      return text === 'true' ? true : text === 'false' ? false : text;
    case 'list':
      return itemsOf(text);
    case 'pairs':
      return pairsOf(text);
  }
}

function fromJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

const itemsOf = (text: string): string[] =>
  text
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '');

function pairsOf(text: string): unknown {
  const pairs = itemsOf(text).map((item) => {
    const at = item.indexOf('=');
    return at < 1 ? null : ([item.slice(0, at).trim(), item.slice(at + 1).trim()] as const);
  });
  return pairs.every((pair) => pair !== null) ? Object.fromEntries(pairs) : text;
}

/** Variables under the name of a group that are no key: a misspelt one must not pass for set. */
function unknownVariables(env: Environment): Fault[] {
  const known = namedSettings.map(({ path }) => variableOf(path));
  const prefixes = Object.keys(settings.keys).map((name) => `${variableOf(name)}_`);
  return Object.keys(env)
    .filter((name) => isSet(env[name]) && !known.includes(name))
    .filter((name) => prefixes.some((prefix) => name.startsWith(prefix)))
    .map((name) => {
      const meant = closest(name, known);
      const fix = meant === null ? 'unset it' : `did you mean ${meant}?`;
      return { path: name, message: 'is not a variable of the configuration', source: name, fix };
    });
}
