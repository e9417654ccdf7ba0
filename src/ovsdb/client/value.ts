import type { Atom } from '../data/atom.ts';
import { printAtom } from '../data/atom-json.ts';
import type { Datum } from '../data/datum.ts';
import type { Uuid } from '../data/uuid.ts';
import { OvsdbError } from '../errors.ts';
import type { Json } from '../json/value.ts';
import type { BaseType } from '../schema/base-type.ts';
import { type ColumnType, isOptionalScalar, isScalar } from '../schema/column-type.ts';

/** A column's value as a program has it: see `RowOf`. */
export type Value = ProgramAtom | null | readonly ProgramAtom[] | ReadonlyMap<ProgramAtom, ProgramAtom>;
type ProgramAtom = string | number | boolean;

export function programValue(datum: Datum, type: ColumnType): Value {
  if (type.value) return new Map(datum.keys.map((key, i) => [programAtom(key), programAtom(datum.values[i])]));
  if (isScalar(type)) return programAtom(datum.keys[0]);
  if (isOptionalScalar(type)) return datum.keys.length === 0 ? null : programAtom(datum.keys[0]);
  return datum.keys.map(programAtom);
}

function programAtom(atom: Atom): ProgramAtom {
  return typeof atom === 'bigint' ? Number(atom) : atom;
}

/** The name under which a row inserted in the same transaction is referred to; undefined for a row of the database. */
export type NameOf = (uuid: Uuid) => string | undefined;

/** The `<value>` of RFC 7047 section 5.1 for what a program gave for a column. */
export function printValue(value: unknown, type: ColumnType, nameOf: NameOf): Json {
  if (type.value) {
    const { value: valueType } = type;
    return [
      'map',
      pairsOf(value).map(([key, of]) => [printElement(key, type.key, nameOf), printElement(of, valueType, nameOf)]),
    ];
  }
  if (value === null || value === undefined) return ['set', []];
  if (isIterable(value)) return ['set', [...value].map((element) => printElement(element, type.key, nameOf))];
  return printElement(value, type.key, nameOf);
}

function pairsOf(value: unknown): [unknown, unknown][] {
  if (value instanceof Map) return [...value];
  if (typeof value === 'object' && value !== null && !isIterable(value)) return Object.entries(value);
  throw new OvsdbError('OVSDB_SYNTAX', 'the value of a map column must be a Map or an object');
}

function isIterable(value: unknown): value is Iterable<unknown> {
  return typeof value === 'object' && value !== null && Symbol.iterator in value;
}

function printElement(value: unknown, { type }: BaseType, nameOf: NameOf): Json {
  if (type === 'uuid') {
    const name = nameOf(value as Uuid);
    if (name !== undefined) return ['named-uuid', name];
  }
  return printAtom(value as Atom, type);
}
