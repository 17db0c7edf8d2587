import * as v from 'valibot';
import { decodeCounter, encodeCounter } from '../lib/base32.ts';

/**
 * Short counters with a kind letter, never reused: `t1k7`; a member of an array is `t1k7.3`. They sort by the number
 * that they are stored as, not as text.
 */
const kinds = { task: 't', node: 'n', credential: 'c', batch: 'b' } as const;

export type TaskId = string & v.Brand<'TaskId'>;
export type NodeId = string & v.Brand<'NodeId'>;
export type CredentialId = string & v.Brand<'CredentialId'>;
export type BatchId = string & v.Brand<'BatchId'>;

interface IdKind<Id extends string> {
  readonly schema: v.GenericSchema<string, Id>;
  /** Of the `counter`-th thing of its kind. */
  fromCounter(counter: number): Id;
  /** Which of its kind; of a member that of its array. */
  toCounter(id: Id): number;
  /** Of the number that the id is stored and sorted as. */
  fromStored(stored: number): Id;
  toStored(id: Id): number;
  /** `null` when the text is not an id of this kind. */
  parse(text: string): Id | null;
}

interface Codec {
  /** Stored numbers of two counters lie so far apart. */
  step: number;
  encode(stored: number): string;
  decode(text: string): number | null;
}

function idKind<Id extends string>(letter: string, noun: string, codec: Codec): IdKind<Id> {
  const decode = (text: string): number | null => (text.startsWith(letter) ? codec.decode(text.slice(1)) : null);
  const parse = (text: string): Id | null => (decode(text) === null ? null : (text as Id));
  const toStored = (id: Id): number => {
    const stored = decode(id);
    if (stored === null) throw new TypeError(`"${id}" is not the id of a ${noun}`);
    return stored;
  };
  return {
    schema: v.pipe(
      v.string(),
      v.check((text) => parse(text) !== null, `must be the id of a ${noun} such as "${letter}1k7"`),
      v.transform((text) => text as Id),
    ),
    parse,
    fromCounter: (counter) => `${letter}${codec.encode(counter * codec.step)}` as Id,
    fromStored: (stored) => `${letter}${codec.encode(stored)}` as Id,
    toCounter: (id) => Math.floor(toStored(id) / codec.step),
    toStored,
  };
}

const plain: Codec = { step: 1, encode: encodeCounter, decode: decodeCounter };

/** Members of an array lie behind it: its counter × this + index + 1. */
export const membersPerTask = 16_384;

const withMembers: Codec = {
  step: membersPerTask,
  encode(stored) {
    const member = stored % membersPerTask;
    const counter = encodeCounter(Math.floor(stored / membersPerTask));
    return member === 0 ? counter : `${counter}.${member - 1}`;
  },
  decode(text) {
    const [head = '', member, ...more] = text.split('.');
    const counter = decodeCounter(head);
    if (counter === null || counter > Number.MAX_SAFE_INTEGER / membersPerTask - 1 || more.length > 0) return null;
    if (member === undefined) return counter * membersPerTask;
    const index = /^(?:0|[1-9]\d{0,4})$/.test(member) ? Number(member) : Infinity;
    return index + 1 < membersPerTask ? counter * membersPerTask + index + 1 : null;
  },
};

export const taskId = idKind<TaskId>(kinds.task, 'task', withMembers);
export const nodeId = idKind<NodeId>(kinds.node, 'node', plain);
export const credentialId = idKind<CredentialId>(kinds.credential, 'credential', plain);
export const batchId = idKind<BatchId>(kinds.batch, 'batch', plain);

/** Id of a member of an array. */
export function memberId(array: TaskId, index: number): TaskId {
  return taskId.fromStored(taskId.toStored(array) + index + 1);
}

/** The array that a task is a member of; `null` when it is none. */
export function arrayOf(id: TaskId): { array: TaskId; index: number } | null {
  const stored = taskId.toStored(id);
  const member = stored % membersPerTask;
  return member === 0 ? null : { array: taskId.fromStored(stored - member), index: member - 1 };
}
