import type { Queryable } from './database.ts';

/**
 * A statement that drizzle builds once per transaction (or once for the database) instead of at
 * every call: `const touch = prepared((q) => q.update(…).set({ at: sql`${sql.placeholder('at')}` })…prepare())`,
 * then `await touch(tx).run({ at })`.
 */
export function prepared<P>(prepare: (on: Queryable) => P): (on: Queryable) => P {
  const made = new WeakMap<Queryable, P>();
  return (on) => {
    const known = made.get(on);
    if (known !== undefined) return known;
    const fresh = prepare(on);
    made.set(on, fresh);
    return fresh;
  };
}
