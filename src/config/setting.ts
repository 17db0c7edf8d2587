import type * as v from 'valibot';

/** The processes that read the configuration. */
export const serverProcesses = ['up', 'host', 'runner'] as const;
export type ServerProcess = (typeof serverProcesses)[number];

/** How the text of a variable becomes a value: as it is, a number, `true`/`false`, `a,b`, `k=v,k2=v2`, or JSON alone. */
export type VariableForm = 'text' | 'number' | 'switch' | 'list' | 'pairs' | 'json';

/** One key of the configuration: what it takes, what it is without a word, and what it does. */
export interface Setting<S extends v.GenericSchema = v.GenericSchema> {
  readonly kind: 'setting';
  readonly schema: S;
  /** As somebody would write it in the file. */
  readonly initial: v.InferInput<S>;
  /** Where a process starts from something else. */
  readonly initialOf?: Partial<Record<ServerProcess, v.InferInput<S>>>;
  /** A value that shows the form, where `initial` is empty. */
  readonly example?: v.InferInput<S>;
  readonly form: VariableForm;
  /** What it does, with its unit, in a sentence or two without a full stop at the end. */
  readonly about: string;
  /** The flag for it, on the commands that have one. */
  readonly flags?: Partial<Record<ServerProcess, string>>;
  readonly usedBy: readonly ServerProcess[];
  /** A variable of somebody else's that takes the place of `initial`; `null` when its text says nothing to us. */
  readonly foreign?: { variable: string; read: (text: string) => string | null };
  /** A wrong value may hold a secret that belongs elsewhere: it is not repeated. */
  readonly quiet?: true;
}

export interface Group {
  readonly kind: 'group';
  readonly about: string;
  readonly keys: Readonly<Record<string, Setting | Group>>;
}

/** The typed configuration of a tree of settings: durations in ms, sizes in bytes, addresses as records. */
export type ConfigOf<T> = {
  readonly [K in keyof T]: T[K] extends Setting<infer S>
    ? v.InferOutput<S>
    : T[K] extends { kind: 'group'; keys: infer Keys }
      ? ConfigOf<Keys>
      : never;
};

export function setting<const S extends v.GenericSchema>(parts: Omit<Setting<S>, 'kind'>): Setting<S> {
  return { kind: 'setting', ...parts };
}

export function group<const Keys extends Group['keys']>(about: string, keys: Keys) {
  return { kind: 'group', about, keys } as const;
}
