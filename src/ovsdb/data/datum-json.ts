import { OvsdbError } from '../errors.ts';
import { isArray, type Json } from '../json/value.ts';
import { type ColumnType, describeType } from '../schema/column-type.ts';
import type { Atom } from './atom.ts';
import { type NamedUuids, parseAtom, printAtom } from './atom-json.ts';
import { type Datum, mapDatum, scalarDatum, setDatum } from './datum.ts';

/** A `<value>` of RFC 7047 section 5.1, checked against the column's type and constraints. */
export function parseDatum(json: Json, type: ColumnType, named?: NamedUuids): Datum {
  if (type.value) return parseMap(json, type, named);
  if (!isArray(json) || json[0] !== 'set') return scalarDatum(parseAtom(json, type.key, named));
  const elements = elementsOf(json, 'set');
  checkSize(elements.length, type, json);
  const datum = setDatum(elements.map((element) => parseAtom(element, type.key, named)));
  if (!datum) throw new OvsdbError('OVSDB_DUPLICATE_ELEMENT', 'a set names one element twice');
  return datum;
}

function parseMap(json: Json, type: ColumnType, named: NamedUuids | undefined): Datum {
  const elements = elementsOf(json, 'map');
  checkSize(elements.length, type, json);
  const pairs = elements.map((pair): [Atom, Atom] => {
    if (!isArray(pair) || pair.length !== 2 || !type.value)
      throw new OvsdbError('OVSDB_SYNTAX', 'expected a pair of key and value', { syntax: pair });
    return [parseAtom(pair[0], type.key, named), parseAtom(pair[1], type.value, named)];
  });
  const datum = mapDatum(pairs);
  if (!datum) throw new OvsdbError('OVSDB_DUPLICATE_ELEMENT', 'a map names one key twice');
  return datum;
}

function elementsOf(json: Json, kind: 'set' | 'map'): readonly Json[] {
  if (isArray(json) && json.length === 2 && json[0] === kind && isArray(json[1])) return json[1];
  throw new OvsdbError('OVSDB_SYNTAX', `expected ["${kind}", <array>]`, { syntax: json });
}

function checkSize(count: number, type: ColumnType, json: Json): void {
  if (count >= type.min && count <= type.max) return;
  throw new OvsdbError('OVSDB_SYNTAX', `${describeType(type)} cannot hold ${count} elements`, { syntax: json });
}

/** The shortest `<value>`: a set of one is written as the atom alone. */
export function printDatum(datum: Datum, type: ColumnType): Json {
  if (type.value) {
    const valueType = type.value.type;
    return ['map', datum.keys.map((key, i) => [printAtom(key, type.key.type), printAtom(datum.values[i], valueType)])];
  }
  if (datum.keys.length === 1) return printAtom(datum.keys[0], type.key.type);
  return ['set', datum.keys.map((key) => printAtom(key, type.key.type))];
}
