import { compareAtoms } from '../data/atom.ts';
import type { NamedUuids } from '../data/atom-json.ts';
import { type Datum, equalData, excludesAll, includesAll } from '../data/datum.ts';
import { parseDatum } from '../data/datum-json.ts';
import { datumOf, type Row } from '../data/row.ts';
import type { Uuid } from '../data/uuid.ts';
import { OvsdbError } from '../errors.ts';
import { isArray, type Json } from '../json/value.ts';
import { type ColumnType, describeType, isOptionalScalar, isScalar } from '../schema/column-type.ts';
import { type ColumnSchema, type TableSchema, UUID_COLUMN } from '../schema/schema.ts';

type Test = (datum: Datum, argument: Datum) => boolean;

function ordered(holds: (order: number) => boolean): Test {
  // An empty optional has no order: false, whatever the function (ovsdb-server(7), section 5.1).
  return (datum, argument) => datum.keys.length > 0 && holds(compareAtoms(datum.keys[0], argument.keys[0]));
}

const TESTS: Readonly<Record<string, Test>> = {
  '<': ordered((order) => order < 0),
  '<=': ordered((order) => order <= 0),
  '==': equalData,
  '!=': (datum, argument) => !equalData(datum, argument),
  '>=': ordered((order) => order >= 0),
  '>': ordered((order) => order > 0),
  includes: includesAll,
  excludes: excludesAll,
};

/** One `<condition>` of RFC 7047 section 5.1, or a boolean as ovsdb-server(7) allows. */
export type Clause = boolean | { readonly column: ColumnSchema; readonly test: Test; readonly argument: Datum };

export function parseClauses(json: readonly Json[], table: TableSchema, named?: NamedUuids): Clause[] {
  return json.map((clause) => parseClause(clause, table, named));
}

function parseClause(json: Json, table: TableSchema, named?: NamedUuids): Clause {
  if (typeof json === 'boolean') return json;
  if (!isArray(json) || json.length !== 3 || typeof json[0] !== 'string' || typeof json[1] !== 'string')
    throw new OvsdbError('OVSDB_SYNTAX', 'a condition must be [<column>, <function>, <value>] or a boolean', {
      syntax: json,
    });
  const column = table.column(json[0]);
  if (!column)
    throw new OvsdbError('OVSDB_UNKNOWN_COLUMN', `table ${table.name} has no column ${json[0]}`, { syntax: json });
  const test = Object.hasOwn(TESTS, json[1]) ? TESTS[json[1]] : undefined;
  if (!test) throw new OvsdbError('OVSDB_UNKNOWN_FUNCTION', `there is no function ${json[1]}`);
  const type = argumentType(json[1], column.type);
  if (!type)
    throw new OvsdbError(
      'OVSDB_SYNTAX',
      `function ${json[1]} does not apply to column ${column.name}, ${describeType(column.type)}`,
      { syntax: json },
    );
  return { column, test, argument: parseDatum(json[2], type, named) };
}

/** The type that a function's argument must have for a column of `type`; undefined when it does not apply. */
function argumentType(name: string, type: ColumnType): ColumnType | undefined {
  switch (name) {
    case '==':
    case '!=':
      return type;
    case 'includes':
      return isScalar(type) ? type : { ...type, min: 0 };
    case 'excludes':
      return isScalar(type) ? type : { ...type, min: 0, max: Number.POSITIVE_INFINITY };
    default:
      if (type.key.type !== 'integer' && type.key.type !== 'real') return undefined;
      return isScalar(type) || isOptionalScalar(type) ? { ...type, min: 1, max: 1 } : undefined;
  }
}

export function holds(clause: Clause, row: Row): boolean {
  return typeof clause === 'boolean' ? clause : clause.test(datumOf(row, clause.column), clause.argument);
}

/** The one row that clauses all of which must hold can be true for, when they name it by `_uuid`. */
export function namedRow(clauses: readonly Clause[]): Uuid | undefined {
  for (const clause of clauses)
    if (typeof clause !== 'boolean' && clause.column === UUID_COLUMN && clause.test === equalData)
      return clause.argument.keys[0] as Uuid;
  return undefined;
}
