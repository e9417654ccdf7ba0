import fc from 'fast-check';
import type { Json, JsonObject } from '../../src/ovsdb/json/value.ts';
import type { BaseType } from '../../src/ovsdb/schema/base-type.ts';
import type { ColumnType } from '../../src/ovsdb/schema/column-type.ts';
import type { ColumnSchema, DatabaseSchema, TableSchema } from '../../src/ovsdb/schema/schema.ts';

/*
 * Random OVSDB requests for a schema: mostly valid, over so few values that rows meet, refer to each other and collide,
 * and with every kind of mistake now and then.
 */

const UUIDS_PER_TABLE = 5;

/** The UUID number `n` of those that random rows of a table have and refer to. */
export function uuidOf(schema: DatabaseSchema, table: string, n: number): string {
  const index = [...schema.tables.keys()].indexOf(table) + 1;
  return `00000000-0000-4000-8000-${index.toString(16).padStart(8, '0')}${n.toString(16).padStart(4, '0')}`;
}

function uuidArbitrary(schema: DatabaseSchema, table: string | undefined): fc.Arbitrary<string> {
  const owner = table ?? [...schema.tables.keys()][0];
  return fc.nat({ max: UUIDS_PER_TABLE - 1 }).map((n) => uuidOf(schema, owner, n));
}

function atomArbitrary(base: BaseType, schema: DatabaseSchema): fc.Arbitrary<Json> {
  switch (base.type) {
    case 'boolean':
      return fc.boolean();
    case 'uuid':
      return uuidArbitrary(schema, base.refTable).map((uuid) => ['uuid', uuid]);
    case 'integer': {
      const bounds = [base.minInteger, base.maxInteger].filter((bound) => bound !== undefined);
      const low = Number(base.minInteger ?? -2);
      return fc.oneof(
        { weight: 12, arbitrary: fc.integer({ min: low, max: low + 4 }) },
        {
          weight: 1,
          arbitrary: fc.constantFrom<Json>(0, ...bounds, ...bounds.map((bound) => Number(bound) + 1), 2 ** 40),
        },
      );
    }
    case 'real':
      return fc.oneof(
        { weight: 12, arbitrary: fc.constantFrom<Json>(-1, 0, 0.5, 1, 2.25) },
        { weight: 1, arbitrary: fc.constantFrom<Json>(1e9, -1e9, 0.1) },
      );
    case 'string':
      if (base.enum)
        return fc.oneof(
          { weight: 12, arbitrary: fc.constantFrom<Json>(...(base.enum as readonly string[])) },
          { weight: 1, arbitrary: fc.constant<Json>('none of them') },
        );
      return fc.oneof(
        { weight: 12, arbitrary: fc.constantFrom<Json>('ab', 'abc', 'cd', 'é', 'x y') },
        { weight: 1, arbitrary: fc.constantFrom<Json>('', 'a', 'abcdefgh', '"\\\n', '😀') },
      );
  }
}

function valueArbitrary(type: ColumnType, schema: DatabaseSchema): fc.Arbitrary<Json> {
  const { value } = type;
  const maxLength = Math.min(type.max + 1, 4);
  const key = atomArbitrary(type.key, schema);
  const wrong = fc.constantFrom<Json>(
    null,
    5,
    'ab',
    true,
    ['set'],
    ['set', 1],
    ['map', [[1]]],
    ['uuid', 'x'],
    {},
    [],
    1.5,
  );
  let right: fc.Arbitrary<Json>;
  if (value) {
    const pair = fc.tuple(key, atomArbitrary(value, schema)).map((atoms): Json => atoms);
    right = uniqueArray(pair, maxLength, (element) => JSON.stringify((element as readonly Json[])[0])).map(
      (pairs) => ['map', pairs] as const,
    );
  } else if (type.max === 1) {
    right =
      type.min === 1
        ? key
        : fc.oneof({ weight: 3, arbitrary: key }, { weight: 1, arbitrary: fc.constant<Json>(['set', []]) });
  } else {
    right = uniqueArray(key, maxLength, JSON.stringify).map((atoms) => ['set', atoms] as const);
  }
  return fc.oneof({ weight: 60, arbitrary: right }, { weight: 1, arbitrary: wrong });
}

/** Now and then with a duplicate all the same. */
function uniqueArray(
  element: fc.Arbitrary<Json>,
  maxLength: number,
  by: (element: Json) => string,
): fc.Arbitrary<Json[]> {
  return fc.oneof(
    { weight: 20, arbitrary: fc.uniqueArray(element, { maxLength, selector: by }) },
    { weight: 1, arbitrary: fc.array(element, { maxLength }) },
  );
}

function columnArbitrary(table: TableSchema): fc.Arbitrary<ColumnSchema> {
  return fc.constantFrom(...table.columns);
}

function rowArbitrary(table: TableSchema, schema: DatabaseSchema, maxColumns: number): fc.Arbitrary<JsonObject> {
  const cell = columnArbitrary(table).chain((column) =>
    valueArbitrary(column.type, schema).map((value): [string, Json] => [column.name, value]),
  );
  const extra = fc.oneof(
    { weight: 80, arbitrary: fc.constant({}) },
    { weight: 1, arbitrary: fc.constant({ nonsense: 1 }) },
  );
  return fc
    .tuple(fc.array(cell, { maxLength: maxColumns }), extra)
    .map(([cells, more]) => ({ ...Object.fromEntries(cells), ...more }));
}

const SET_FUNCTIONS = ['==', '!=', 'includes', 'excludes'];
const ORDER_FUNCTIONS = ['<', '<=', '>', '>='];

function functionArbitrary({ key, value, max }: ColumnType): fc.Arbitrary<string> {
  const hasOrder = (key.type === 'integer' || key.type === 'real') && !value && max === 1;
  return fc.oneof(
    { weight: hasOrder ? 4 : 20, arbitrary: fc.constantFrom(...SET_FUNCTIONS) },
    { weight: hasOrder ? 4 : 1, arbitrary: fc.constantFrom(...ORDER_FUNCTIONS) },
  );
}

export function clauseArbitrary(table: TableSchema, schema: DatabaseSchema): fc.Arbitrary<Json> {
  const onUuid = uuidArbitrary(schema, table.name).map((uuid): Json => ['_uuid', '==', ['uuid', uuid]]);
  const onColumn = columnArbitrary(table).chain((column) =>
    fc
      .tuple(functionArbitrary(column.type), valueArbitrary(column.type, schema))
      .map(([name, value]): Json => [column.name, name, value]),
  );
  const odd = fc.constantFrom<Json>(true, false, 5, ['x'], ['nonsense', '==', 1], ['_uuid', 'like', 1]);
  return fc.oneof({ weight: 6, arbitrary: onUuid }, { weight: 6, arbitrary: onColumn }, { weight: 1, arbitrary: odd });
}

function whereArbitrary(table: TableSchema, schema: DatabaseSchema): fc.Arbitrary<Json> {
  return fc.array(clauseArbitrary(table, schema), { maxLength: 2 });
}

function columnNames(table: TableSchema, maxLength: number): fc.Arbitrary<string[]> {
  return fc.uniqueArray(fc.constantFrom(...table.columns.map((column) => column.name)), { maxLength });
}

function mutationArbitrary(table: TableSchema, schema: DatabaseSchema): fc.Arbitrary<Json> {
  return columnArbitrary(table).chain((column) => {
    const { type } = column;
    const isNumeric = !type.value && (type.key.type === 'integer' || type.key.type === 'real');
    const isScalar = type.min === 1 && type.max === 1;
    const sensible = [...(isNumeric ? ['+=', '-=', '*=', '/=', '%='] : []), ...(isScalar ? [] : ['insert', 'delete'])];
    const mutators = sensible.length > 0 ? sensible : ['+=', 'insert'];
    const arithmetic = atomArbitrary(type.key, schema);
    const elements = valueArbitrary(type, schema);
    const keysOnly = valueArbitrary({ key: type.key, min: 0, max: 4 }, schema);
    return fc.constantFrom(...mutators).chain((mutator) => {
      const argument =
        mutator === 'insert' ? elements : mutator === 'delete' ? fc.oneof(elements, keysOnly) : arithmetic;
      return argument.map((value): Json => [column.name, mutator, value]);
    });
  });
}

function operationArbitrary(table: TableSchema, schema: DatabaseSchema): fc.Arbitrary<Json> {
  const where = whereArbitrary(table, schema);
  const row = rowArbitrary(table, schema, 5);
  const name = table.name;
  const insert = fc
    .tuple(rowArbitrary(table, schema, 8), uuidArbitrary(schema, name))
    .map(([values, uuid]): Json => ({ op: 'insert', table: name, row: values, uuid }));
  const select = fc
    .tuple(where, columnNames(table, 3))
    .map(([clauses, columns]): Json => ({ op: 'select', table: name, where: clauses, columns }));
  const update = fc
    .tuple(where, row)
    .map(([clauses, values]): Json => ({ op: 'update', table: name, where: clauses, row: values }));
  const mutate = fc
    .tuple(where, fc.array(mutationArbitrary(table, schema), { maxLength: 2 }))
    .map(([clauses, mutations]): Json => ({ op: 'mutate', table: name, where: clauses, mutations }));
  const remove = where.map((clauses): Json => ({ op: 'delete', table: name, where: clauses }));
  const wait = fc
    .tuple(
      where,
      columnNames(table, 2),
      fc.constantFrom('==', '!='),
      fc.array(rowArbitrary(table, schema, 2), { maxLength: 2 }),
    )
    .map(
      ([clauses, columns, until, rows]): Json => ({
        op: 'wait',
        table: name,
        where: clauses,
        columns,
        until,
        rows,
        timeout: 0,
      }),
    );
  const control = fc.constantFrom<Json>(
    { op: 'commit', durable: false },
    { op: 'comment', comment: 'so' },
    { op: 'abort' },
    { op: 'assert', lock: 'nobody' },
    { op: 'nonsense' },
    { op: 'select', table: 'Nonsense', where: [] },
    { op: 'delete', table: name, where: [], more: 1 },
  );
  return fc.oneof(
    { weight: 24, arbitrary: insert },
    { weight: 8, arbitrary: select },
    { weight: 24, arbitrary: update },
    { weight: 24, arbitrary: mutate },
    { weight: 6, arbitrary: remove },
    { weight: 2, arbitrary: wait },
    { weight: 1, arbitrary: control },
  );
}

/** The operations of one transaction. */
export function transactionArbitrary(schema: DatabaseSchema): fc.Arbitrary<Json[]> {
  const tables = [...schema.tables.values()];
  const operation = fc.constantFrom(...tables).chain((table) => operationArbitrary(table, schema));
  return fc.array(operation, { minLength: 1, maxLength: 5 });
}

/** `<monitor-requests>`, with conditions when `withWhere`. */
export function monitorRequestsArbitrary(schema: DatabaseSchema, withWhere: boolean): fc.Arbitrary<JsonObject> {
  const flag = fc.constantFrom(true, true, false);
  const select = fc.record({ initial: flag, insert: flag, delete: flag, modify: flag }, { requiredKeys: [] });
  const requests = [...schema.tables.values()].map((table) => {
    const request = fc.record(
      { columns: columnNames(table, 4), select, ...(withWhere && { where: validClauses(table, schema) }) },
      { requiredKeys: [] },
    );
    return request.map((made): [string, Json] => [table.name, [made as JsonObject]]);
  });
  return fc.tuple(...requests).chain((all) => fc.subarray(all).map((some): JsonObject => Object.fromEntries(some)));
}

/** Clauses that both servers take: comparisons of the key's own type. */
export function validClauses(table: TableSchema, schema: DatabaseSchema): fc.Arbitrary<Json[]> {
  const clause = columnArbitrary(table).chain((column): fc.Arbitrary<Json> => {
    if (column.type.value || column.type.min === 0 || column.type.key.enum) return fc.boolean();
    const { type } = column.type.key;
    const value = type === 'integer' ? fc.constantFrom<Json>(0, 1) : atomArbitrary({ type }, schema);
    return value.map((atom): Json => [column.name, type === 'integer' ? '<=' : '==', atom]);
  });
  return fc.array(clause, { maxLength: 2 });
}
