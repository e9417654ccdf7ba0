/**
 * One value of an atomic type (RFC 7047 section 3.1). Integers are numbers where those are exact and bigints beyond;
 * reals are never -0, NaN or infinite; UUIDs are lower-case text. So `===` is equality within one type.
 */
export type Atom = string | number | bigint | boolean;

export const ATOMIC_TYPES = ['integer', 'real', 'boolean', 'string', 'uuid'] as const;
export type AtomicType = (typeof ATOMIC_TYPES)[number];

/** Order of two atoms of one type; for numbers the order of their values, else only some total order. */
export function compareAtoms(a: Atom, b: Atom): number {
  return a === b ? 0 : (a as number) < (b as number) ? -1 : 1;
}
