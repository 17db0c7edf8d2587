import * as v from 'valibot';
import { decodeCounter, encodeCounter } from '../lib/base32.ts';

/**
 * Short counters with a kind letter, never reused: `t1k7`. They sort by their counter, not as text.
 */
const kinds = { task: 't', node: 'n', credential: 'c' } as const;

export type TaskId = string & v.Brand<'TaskId'>;
export type NodeId = string & v.Brand<'NodeId'>;
export type CredentialId = string & v.Brand<'CredentialId'>;

interface IdKind<Id extends string> {
  readonly schema: v.GenericSchema<string, Id>;
  fromCounter(counter: number): Id;
  toCounter(id: Id): number;
  /** `null` when the text is not an id of this kind. */
  parse(text: string): Id | null;
}

function idKind<Id extends string>(letter: string, brand: string): IdKind<Id> {
  const parse = (text: string): Id | null =>
    text.startsWith(letter) && decodeCounter(text.slice(1)) !== null ? (text as Id) : null;
  return {
    schema: v.pipe(
      v.string(),
      v.check((text) => parse(text) !== null, `must be the id of a ${brand} such as "${letter}1k7"`),
      v.transform((text) => text as Id),
    ),
    parse,
    fromCounter: (counter) => `${letter}${encodeCounter(counter)}` as Id,
    toCounter(id) {
      const counter = parse(id) === null ? null : decodeCounter(id.slice(1));
      if (counter === null) throw new TypeError(`"${id}" is not the id of a ${brand}`);
      return counter;
    },
  };
}

export const taskId = idKind<TaskId>(kinds.task, 'task');
export const nodeId = idKind<NodeId>(kinds.node, 'node');
export const credentialId = idKind<CredentialId>(kinds.credential, 'credential');
