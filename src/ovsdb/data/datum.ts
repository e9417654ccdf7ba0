import { defaultAtom } from '../schema/base-type.ts';
import { type ColumnType, isComposite } from '../schema/column-type.ts';
import { type Atom, compareAtoms } from './atom.ts';

/**
 * The value of one column in one row: a set of keys in ascending order, and for a map the value of each key beside it.
 * A scalar is a set of one. Data are never changed in place.
 */
export interface Datum {
  readonly keys: readonly Atom[];
  readonly values: readonly Atom[];
}

const NONE: readonly Atom[] = [];
export const EMPTY: Datum = { keys: NONE, values: NONE };

export function scalarDatum(atom: Atom): Datum {
  return { keys: [atom], values: NONE };
}

/** A set of `atoms`, in any order; `undefined` when one occurs twice. */
export function setDatum(atoms: readonly Atom[]): Datum | undefined {
  if (atoms.length === 0) return EMPTY;
  const keys = [...atoms].sort(compareAtoms);
  for (let i = 1; i < keys.length; i++) if (keys[i] === keys[i - 1]) return undefined;
  return { keys, values: NONE };
}

/** A map of `pairs`, in any order; `undefined` when one key occurs twice. */
export function mapDatum(pairs: readonly (readonly [Atom, Atom])[]): Datum | undefined {
  if (pairs.length === 0) return EMPTY;
  const sorted = [...pairs].sort((a, b) => compareAtoms(a[0], b[0]));
  for (let i = 1; i < sorted.length; i++) if (sorted[i][0] === sorted[i - 1][0]) return undefined;
  return { keys: sorted.map((pair) => pair[0]), values: sorted.map((pair) => pair[1]) };
}

/** What a column holds when nobody gave it a value. */
export function defaultDatum(type: ColumnType): Datum {
  if (type.min === 0) return EMPTY;
  const key = defaultAtom(type.key.type);
  return { keys: [key], values: type.value ? [defaultAtom(type.value.type)] : NONE };
}

/** Where `key` is in `datum.keys`, or the complement (~) of where it belongs. */
export function findKey(datum: Datum, key: Atom): number {
  let low = 0;
  let high = datum.keys.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    const order = compareAtoms(datum.keys[middle], key);
    if (order === 0) return middle;
    if (order < 0) low = middle + 1;
    else high = middle;
  }
  return ~low;
}

export function equalData(a: Datum, b: Datum): boolean {
  if (a === b) return true;
  if (a.keys.length !== b.keys.length || a.values.length !== b.values.length) return false;
  for (let i = 0; i < a.keys.length; i++) if (a.keys[i] !== b.keys[i]) return false;
  for (let i = 0; i < a.values.length; i++) if (a.values[i] !== b.values[i]) return false;
  return true;
}

/** Every element of `a` is in `b`; for maps with the same value. */
export function includesAll(b: Datum, a: Datum): boolean {
  return a.keys.every((_, i) => hasElement(b, a, i));
}

/** No element of `a` is in `b`; a map's pair counts only with the same value. */
export function excludesAll(b: Datum, a: Datum): boolean {
  return !a.keys.some((_, i) => hasElement(b, a, i));
}

function hasElement(datum: Datum, other: Datum, i: number): boolean {
  const at = findKey(datum, other.keys[i]);
  return at >= 0 && (other.values.length === 0 || datum.values[at] === other.values[i]);
}

/** `datum` with those elements of `added` whose key it does not have yet. */
export function union(datum: Datum, added: Datum): Datum {
  if (added.keys.length * FEW > datum.keys.length) return merge(datum, added, (keep) => keep);
  const keys = [...datum.keys];
  const values = [...datum.values];
  for (let i = added.keys.length - 1; i >= 0; i--) {
    const at = findKey(datum, added.keys[i]);
    if (at >= 0) continue;
    keys.splice(~at, 0, added.keys[i]);
    if (added.values.length > 0) values.splice(~at, 0, added.values[i]);
  }
  return keys.length === datum.keys.length ? datum : { keys, values };
}

/** Below one in so many, elements are put in one by one: bridges have a thousand ports and get another. */
const FEW = 64;

/** `datum` without those elements of `removed` that it has: by key, and by value too when `removed` is a map. */
export function subtract(datum: Datum, removed: Datum): Datum {
  return filterDatum(datum, (key, value) => {
    const at = findKey(removed, key);
    return at < 0 || (removed.values.length > 0 && removed.values[at] !== value);
  });
}

export function filterDatum(datum: Datum, keep: (key: Atom, value: Atom | undefined) => boolean): Datum {
  const kept: number[] = [];
  for (let i = 0; i < datum.keys.length; i++) if (keep(datum.keys[i], datum.values[i])) kept.push(i);
  if (kept.length === datum.keys.length) return datum;
  if (kept.length === 0) return EMPTY;
  return {
    keys: kept.map((i) => datum.keys[i]),
    values: datum.values.length > 0 ? kept.map((i) => datum.values[i]) : NONE,
  };
}

/**
 * The difference as update2 notifications and the file carry it: for a column of at most one element the new value; else
 * the elements that only one of both has, and map pairs whose value changed with the new value.
 */
export function difference(from: Datum, to: Datum, type: ColumnType): Datum {
  if (!isComposite(type)) return to;
  // Sets have no values, and reading past an array's end is slow.
  const hasValues = from.values.length > 0 && to.values.length > 0;
  const isSame = (i: number, j: number): boolean =>
    from.keys[i] === to.keys[j] && (!hasValues || from.values[i] === to.values[j]);
  // What both have at their beginnings and ends is in no difference, and mostly that is nearly all.
  const shorter = Math.min(from.keys.length, to.keys.length);
  let start = 0;
  while (start < shorter && isSame(start, start)) start++;
  let end = 0;
  while (end < shorter - start && isSame(from.keys.length - 1 - end, to.keys.length - 1 - end)) end++;
  return merge(middle(from, start, end), middle(to, start, end), (old, now) => (old === now ? undefined : now));
}

function middle({ keys, values }: Datum, start: number, end: number): Datum {
  if (start === 0 && end === 0) return { keys, values };
  return { keys: keys.slice(start, keys.length - end), values: values.slice(start, values.length - end) };
}

/** The value that came of `from` by `change`, a `difference`. (The operation is its own inverse.) */
export function applyDifference(from: Datum, change: Datum, type: ColumnType): Datum {
  return difference(from, change, type);
}

/**
 * Merges two sorted data. `both` decides about a key that is on both sides: the value to keep, or undefined to leave the
 * key out. In sets each key has the value true.
 */
function merge(a: Datum, b: Datum, both: (first: Atom, second: Atom) => Atom | undefined): Datum {
  if (b.keys.length === 0) return a;
  if (a.keys.length === 0) return b;
  const isMap = a.values.length > 0;
  const keys: Atom[] = [];
  const values: Atom[] = [];
  let i = 0;
  let j = 0;
  while (i < a.keys.length || j < b.keys.length) {
    const order = i === a.keys.length ? 1 : j === b.keys.length ? -1 : compareAtoms(a.keys[i], b.keys[j]);
    if (order === 0) {
      const value = isMap ? both(a.values[i], b.values[j]) : both(true, true);
      if (value !== undefined) {
        keys.push(a.keys[i]);
        if (isMap) values.push(value);
      }
      i++;
      j++;
    } else {
      const [from, at] = order < 0 ? [a, i++] : [b, j++];
      keys.push(from.keys[at]);
      if (isMap) values.push(from.values[at]);
    }
  }
  return keys.length === 0 ? EMPTY : { keys, values: isMap ? values : NONE };
}
