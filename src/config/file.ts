import { findNodeAtLocation, parseTree, printParseErrorCode, type Node, type ParseError } from 'jsonc-parser';
import { closest } from './closest.ts';
import type { Fault } from './fault.ts';
import type { Given } from './given.ts';
import type { Group } from './setting.ts';
import { settings } from './settings.ts';

export interface ConfigText {
  /** As messages name it. */
  name: string;
  text: string;
}

export interface FileReading {
  given: Given[];
  faults: Fault[];
}

interface Reading extends FileReading {
  place: (offset: number) => string;
}

/** Reads JSON with comments and trailing commas into the values that it gives, each with its place. */
export function readConfigText(file: ConfigText): FileReading {
  const text = file.text.replace(/^\uFEFF/, '');
  const place = placesIn(file.name, text);
  const errors: ParseError[] = [];
  const root = parse(text, errors);
  const [error] = errors;
  if (error || !root) return unreadable(error, place);
  const reading: Reading = { given: [], faults: [], place };
  readGroup(reading, { node: root, group: settings, path: '' });
  return { given: reading.given, faults: reading.faults };
}

const allowed = { allowTrailingComma: true, disallowComments: false, allowEmptyContent: false };

/** The parser calls itself for each level: brackets by the thousand end its stack. */
function parse(text: string, errors: ParseError[]): Node | undefined {
  try {
    return parseTree(text, errors, allowed);
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

function unreadable(error: ParseError | undefined, place: Reading['place']): FileReading {
  const why = error ? sentences[printParseErrorCode(error.error)] : 'it is nested too deeply';
  const message = `is not JSON with comments: ${why ?? 'it does not parse'}`;
  const fix = 'mend it there; `weir config init` shows the form';
  return { given: [], faults: [{ path: '', message, source: place(error?.offset ?? 0), fix }] };
}

const sentences: Readonly<Record<string, string>> = {
  InvalidSymbol: 'an unknown word',
  InvalidNumberFormat: 'a number that is none',
  PropertyNameExpected: 'a key in quotes is expected',
  ValueExpected: 'a value is expected',
  ColonExpected: 'a colon is expected',
  CommaExpected: 'a comma is missing',
  CloseBraceExpected: 'a closing brace is missing',
  CloseBracketExpected: 'a closing bracket is missing',
  EndOfFileExpected: 'something stands behind its end',
  UnexpectedEndOfComment: 'a comment does not end',
  UnexpectedEndOfString: 'a text does not end',
};

function readGroup(reading: Reading, { node, group, path }: { node: Node; group: Group; path: string }): void {
  const tell = (at: string, offset: number, { message, fix }: Pick<Fault, 'message' | 'fix'>): void =>
    void reading.faults.push({ path: at, message, source: reading.place(offset), fix });
  if (node.type !== 'object') {
    const message = `must be an object, not ${JSON.stringify(valueOf(node))}`;
    tell(path, node.offset, { message, fix: `write { "${Object.keys(group.keys)[0] ?? ''}": … }` });
    return;
  }
  const seen = new Set<string>();
  for (const [name, value, offset] of propertiesOf(node)) {
    const at = path === '' ? name : `${path}.${name}`;
    const entry = Object.hasOwn(group.keys, name) ? group.keys[name] : undefined;
    if (!entry) tell(at, offset, { message: 'is not a key', fix: fixOfUnknown(name, group, path) });
    else if (seen.has(name)) tell(at, offset, { message: 'is there twice', fix: 'leave one of them' });
    else if (entry.kind === 'group') readGroup(reading, { node: value, group: entry, path: at });
    else reading.given.push(givenBy(reading, value, at));
    seen.add(name);
  }
}

function givenBy({ place }: Reading, node: Node, path: string): Given {
  return {
    path,
    value: valueOf(node),
    origin: { kind: 'file', place: place(node.offset) },
    placeOf: (inner) => place((findNodeAtLocation(node, [...inner]) ?? node).offset),
  };
}

function fixOfUnknown(name: string, group: Group, path: string): string {
  const meant = closest(name, Object.keys(group.keys));
  const above = path === '' ? '' : `${path}.`;
  return meant === null ? `known here: ${Object.keys(group.keys).join(', ')}` : `did you mean ${above}${meant}?`;
}

function* propertiesOf(node: Node): Iterable<[name: string, value: Node, offset: number]> {
  for (const { children = [], offset } of node.children ?? []) {
    const [key, value] = children;
    if (key && value) yield [String(key.value), value, offset];
  }
}

/** Keys such as `__proto__` are keys like others here. */
function valueOf(node: Node): unknown {
  if (node.type === 'array') return (node.children ?? []).map(valueOf);
  if (node.type !== 'object') return node.value;
  return Object.fromEntries([...propertiesOf(node)].map(([name, value]) => [name, valueOf(value)]));
}

function placesIn(name: string, text: string): (offset: number) => string {
  return (offset) => {
    const before = text.slice(0, offset);
    const line = before.split('\n').length;
    return `${name}:${line}:${offset - before.lastIndexOf('\n')}`;
  };
}
