import type { Atom, AtomicType } from '../data/atom.ts';
import type { NamedUuids } from '../data/atom-json.ts';
import { type Datum, setDatum, subtract, union } from '../data/datum.ts';
import { parseDatum } from '../data/datum-json.ts';
import { OvsdbError } from '../errors.ts';
import { canonicalInteger, fitsInt64, isArray, type Json } from '../json/value.ts';
import { brokenConstraint } from '../schema/base-type.ts';
import { type ColumnType, describeType, isScalar } from '../schema/column-type.ts';
import type { ColumnSchema, TableSchema } from '../schema/schema.ts';

/** One `<mutation>` of RFC 7047 section 5.1, ready to be applied to any number of rows. */
export interface Mutation {
  readonly column: ColumnSchema;
  apply(datum: Datum): Datum;
}

const MUTATORS = ['+=', '-=', '*=', '/=', '%=', 'insert', 'delete'];

export function parseMutation(json: Json, table: TableSchema, named: NamedUuids): Mutation {
  if (!isArray(json) || json.length !== 3 || typeof json[0] !== 'string' || typeof json[1] !== 'string')
    throw new OvsdbError('OVSDB_SYNTAX', 'a mutation must be [<column>, <mutator>, <value>]', { syntax: json });
  const [name, mutator, value] = json as readonly [string, string, Json];
  const column = table.column(name);
  if (!column)
    throw new OvsdbError('OVSDB_UNKNOWN_COLUMN', `table ${table.name} has no column ${name}`, { syntax: json });
  if (!column.mutable)
    throw new OvsdbError('OVSDB_CONSTRAINT', `column ${name} of table ${table.name} is immutable`, { syntax: json });
  if (!MUTATORS.includes(mutator)) throw new OvsdbError('OVSDB_UNKNOWN_MUTATOR', `there is no mutator ${mutator}`);
  const mutation =
    mutator === 'insert' || mutator === 'delete'
      ? elementMutation(column, mutator, value, named)
      : arithmeticMutation(column, mutator, value);
  if (mutation) return mutation;
  throw new OvsdbError(
    'OVSDB_SYNTAX',
    `mutator ${mutator} does not apply to column ${name}, ${describeType(column.type)}`,
    { syntax: json },
  );
}

function elementMutation(
  column: ColumnSchema,
  mutator: 'insert' | 'delete',
  value: Json,
  named: NamedUuids,
): Mutation | undefined {
  const { type } = column;
  if (isScalar(type)) return undefined;
  if (mutator === 'insert') {
    const argument = parseDatum(value, { ...type, min: 0 }, named);
    return { column, apply: (datum) => checkSize(union(datum, argument), column) };
  }
  const anySize = { ...type, min: 0, max: Number.POSITIVE_INFINITY } as const;
  const argument = type.value ? parseDeletedPairs(value, anySize, named) : parseDatum(value, anySize, named);
  return { column, apply: (datum) => checkSize(subtract(datum, argument), column) };
}

/** From a map, pairs are deleted that are named in full, or by a set of keys. */
function parseDeletedPairs(value: Json, { key, value: valueType, min, max }: ColumnType, named: NamedUuids): Datum {
  try {
    return parseDatum(value, { key, value: valueType, min, max }, named);
  } catch {
    return parseDatum(value, { key, min, max }, named);
  }
}

function checkSize(datum: Datum, column: ColumnSchema): Datum {
  const { type } = column;
  if (datum.keys.length >= type.min && datum.keys.length <= type.max) return datum;
  throw new OvsdbError(
    'OVSDB_CONSTRAINT',
    `column ${column.name}, ${describeType(type)}, cannot hold ${datum.keys.length} elements`,
  );
}

function arithmeticMutation(column: ColumnSchema, mutator: string, value: Json): Mutation | undefined {
  const { type } = column;
  const atomic = type.key.type;
  if (type.value || (atomic !== 'integer' && atomic !== 'real') || (atomic === 'real' && mutator === '%='))
    return undefined;
  const operand = parseDatum(value, { key: { type: atomic }, min: 1, max: 1 }).keys[0] as number | bigint;
  return {
    column,
    apply(datum) {
      const results = datum.keys.map((atom) => compute(atom as number | bigint, mutator, operand, atomic));
      for (const result of results) {
        const broken = brokenConstraint(result, type.key);
        if (broken) throw new OvsdbError('OVSDB_CONSTRAINT', broken);
      }
      const set = setDatum(results);
      if (!set)
        throw new OvsdbError('OVSDB_CONSTRAINT', `the result of ${mutator} on column ${column.name} has duplicates`);
      return set;
    },
  };
}

function compute(a: number | bigint, mutator: string, b: number | bigint, type: AtomicType): Atom {
  if ((mutator === '/=' || mutator === '%=') && Number(b) === 0)
    throw new OvsdbError('OVSDB_DOMAIN', `the operand of ${mutator} is zero`);
  if (type === 'integer') {
    const result = integerResult(BigInt(a), mutator, BigInt(b));
    if (fitsInt64(result)) return canonicalInteger(result);
  } else {
    const result = realResult(Number(a), mutator, Number(b));
    if (Number.isFinite(result)) return result + 0;
  }
  throw new OvsdbError('OVSDB_RANGE', `the result of ${mutator} is out of range`);
}

function integerResult(a: bigint, mutator: string, b: bigint): bigint {
  switch (mutator) {
    case '+=':
      return a + b;
    case '-=':
      return a - b;
    case '*=':
      return a * b;
    case '/=':
      return a / b;
    default:
      return a % b;
  }
}

function realResult(a: number, mutator: string, b: number): number {
  switch (mutator) {
    case '+=':
      return a + b;
    case '-=':
      return a - b;
    case '*=':
      return a * b;
    default:
      return a / b;
  }
}
