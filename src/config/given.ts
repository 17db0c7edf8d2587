/** Where a value comes from; of two, the later kind wins: a flag over a variable over the file over the default. */
export type Origin =
  | { kind: 'default' }
  | { kind: 'foreign'; variable: string }
  | { kind: 'file'; place: string }
  | { kind: 'variable'; variable: string }
  | { kind: 'flag'; flag: string };

/** A value that some source gives to a key, not yet looked at. */
export interface Given {
  path: string;
  value: unknown;
  origin: Origin;
  /** Where a part of the value stands, for messages. */
  placeOf?: (inner: readonly (string | number)[]) => string;
}

export function originText(origin: Origin): string {
  switch (origin.kind) {
    case 'default':
      return 'default';
    case 'file':
      return origin.place;
    case 'foreign':
    case 'variable':
      return origin.variable;
    case 'flag':
      return origin.flag;
  }
}
