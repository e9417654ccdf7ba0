import { isId } from '../data/atom-json.ts';
import { type Datum, equalData, scalarDatum } from '../data/datum.ts';
import { parseDatum, printDatum } from '../data/datum-json.ts';
import { allColumns, datumOf, type Row } from '../data/row.ts';
import { dataKey, type Table } from '../data/table.ts';
import { newUuid, parseUuid, type Uuid, ZERO_UUID } from '../data/uuid.ts';
import { OvsdbError } from '../errors.ts';
import type { Members } from '../json/members.ts';
import { isObject, type Json, type JsonObject } from '../json/value.ts';
import { type ColumnSchema, type TableSchema, UUID_COLUMN } from '../schema/schema.ts';
import { parseClauses } from './condition.ts';
import { parseMutation } from './mutation.ts';
import type { OperationContext } from './operation.ts';

/** The columns that a `<row>` names, with their values (RFC 7047 section 5.1). */
export function parseRow(
  json: { readonly [column: string]: Json },
  table: TableSchema,
  context: OperationContext,
): Map<ColumnSchema, Datum> {
  const values = new Map<ColumnSchema, Datum>();
  for (const [name, value] of Object.entries(json)) {
    const column = table.column(name);
    if (!column)
      throw new OvsdbError('OVSDB_UNKNOWN_COLUMN', `table ${table.name} has no column ${name}`, { syntax: json });
    values.set(column, parseDatum(value, column.type, context.names.uuidOf));
  }
  return values;
}

/** Section 5.2.1 */
export function insert(members: Members, table: Table, context: OperationContext): Json {
  const row = members.required('row', 'object');
  const name = members.optional('uuid-name', 'string');
  if (name !== undefined && !isId(name)) throw members.error('uuid-name must be an <id>');
  const wanted = members.optional('uuid', 'string');
  members.finish();
  const uuid = chooseUuid(name, wanted, table, context);
  const values = parseRow(row, table.schema, context);
  const data = table.schema.columns.map((column) => {
    const given = values.get(column);
    if (given) return given;
    const broken = table.brokenDefaults[column.index];
    if (broken)
      throw new OvsdbError(
        'OVSDB_CONSTRAINT',
        `column ${column.name} needs a value, its default will not do: ${broken}`,
      );
    return table.defaults[column.index];
  });
  // A new _version is given to every changed row when the transaction commits.
  context.transaction.put(table, { uuid, version: uuid, data });
  return { uuid: ['uuid', uuid] };
}

function chooseUuid(
  name: string | undefined,
  wanted: string | undefined,
  table: Table,
  context: OperationContext,
): Uuid {
  let uuid: Uuid | undefined;
  if (wanted !== undefined) {
    uuid = parseUuid(wanted);
    if (!uuid) throw new OvsdbError('OVSDB_SYNTAX', 'not a valid UUID', { syntax: wanted });
    if (context.transaction.get(table, uuid) || table.rows.has(uuid))
      throw new OvsdbError('OVSDB_DUPLICATE_UUID', 'a row with this UUID exists or has just been deleted', {
        syntax: wanted,
      });
  }
  return name === undefined ? (uuid ?? newUuid()) : context.names.define(name, uuid);
}

/** Section 5.2.2 */
export function select(members: Members, table: Table, context: OperationContext): Json {
  const clauses = parseClauses(members.required('where', 'array'), table.schema, context.names.uuidOf);
  const columns = parseColumns(members.optional('columns', 'array'), table.schema);
  members.finish();
  // Rows are told once that do not differ in the columns asked for; with their UUIDs they always differ.
  const keyOf = columns.includes(UUID_COLUMN) ? (row: Row) => row.uuid : (row: Row) => dataKey(dataOf(row, columns));
  const distinct = new Map<string, Row>();
  for (const row of context.transaction.select(table, clauses)) {
    const key = keyOf(row);
    if (distinct.has(key)) continue;
    context.transaction.countResult(dataOf(row, columns));
    distinct.set(key, row);
  }
  return { rows: [...distinct.values()].map((row) => printRow(row, columns)) };
}

function dataOf(row: Row, columns: readonly ColumnSchema[]): Datum[] {
  return columns.map((column) => datumOf(row, column));
}

export function printRow(row: Row, columns: readonly ColumnSchema[]): JsonObject {
  const json: JsonObject = {};
  for (const column of columns) json[column.name] = printDatum(datumOf(row, column), column.type);
  return json;
}

/** `<column>*`, each once; all columns when there is no such member. */
export function parseColumns(json: readonly Json[] | undefined, table: TableSchema): ColumnSchema[] {
  if (json === undefined) return allColumns(table.columns);
  const columns = new Set<ColumnSchema>();
  for (const name of json) {
    const column = typeof name === 'string' ? table.column(name) : undefined;
    if (!column) throw new OvsdbError('OVSDB_SYNTAX', `not a column of table ${table.name}`, { syntax: json });
    if (columns.has(column)) throw new OvsdbError('OVSDB_SYNTAX', 'a column is named twice', { syntax: json });
    columns.add(column);
  }
  return [...columns];
}

/** Section 5.2.3 */
export function update(members: Members, table: Table, context: OperationContext): Json {
  const where = members.required('where', 'array');
  const values = parseRow(members.required('row', 'object'), table.schema, context);
  members.finish();
  for (const column of values.keys())
    if (!column.mutable)
      throw new OvsdbError('OVSDB_CONSTRAINT', `column ${column.name} of table ${table.schema.name} is immutable`, {
        syntax: members.json,
      });
  const rows = context.transaction.select(table, parseClauses(where, table.schema, context.names.uuidOf));
  for (const row of rows) {
    const data = [...row.data];
    let isChanged = false;
    for (const [column, datum] of values) {
      if (equalData(data[column.index], datum)) continue;
      data[column.index] = datum;
      isChanged = true;
    }
    if (isChanged) context.transaction.put(table, { ...row, data });
  }
  return { count: rows.length };
}

/** Section 5.2.4 */
export function mutate(members: Members, table: Table, context: OperationContext): Json {
  const where = members.required('where', 'array');
  const mutationsJson = members.required('mutations', 'array');
  members.finish();
  const mutations = mutationsJson.map((json) => parseMutation(json, table.schema, context.names.uuidOf));
  const rows = context.transaction.select(table, parseClauses(where, table.schema, context.names.uuidOf));
  for (const row of rows) {
    const data = [...row.data];
    for (const { column, apply } of mutations) data[column.index] = apply(data[column.index]);
    context.transaction.put(table, { ...row, data });
  }
  return { count: rows.length };
}

/** Section 5.2.5 */
export function remove(members: Members, table: Table, context: OperationContext): Json {
  const clauses = parseClauses(members.required('where', 'array'), table.schema, context.names.uuidOf);
  members.finish();
  const rows = context.transaction.select(table, clauses);
  for (const { uuid } of rows) context.transaction.remove(table, uuid);
  return { count: rows.length };
}

/** Section 5.2.6: whether the rows are what the operation waits for. */
export function isAwaited(members: Members, table: Table, context: OperationContext): boolean {
  const clauses = parseClauses(members.required('where', 'array'), table.schema, context.names.uuidOf);
  const until = members.required('until', 'string');
  const rowsJson = members.required('rows', 'array');
  const columns = parseColumns(members.optional('columns', 'array'), table.schema);
  members.finish();
  if (until !== '==' && until !== '!=')
    throw new OvsdbError('OVSDB_SYNTAX', 'until must be "==" or "!="', { syntax: until });
  const expected = new Set<string>();
  for (const json of rowsJson) {
    if (!isObject(json)) throw new OvsdbError('OVSDB_SYNTAX', 'a row must be an object', { syntax: json });
    const values = parseRow(json, table.schema, context);
    expected.add(dataKey(columns.map((column) => values.get(column) ?? defaultOf(column, table))));
  }
  const actual = new Set<string>();
  for (const row of context.transaction.select(table, clauses)) actual.add(dataKey(dataOf(row, columns)));
  const isEqual = actual.size === expected.size && [...actual].every((key) => expected.has(key));
  return isEqual === (until === '==');
}

function defaultOf(column: ColumnSchema, table: Table): Datum {
  return column.index >= 0 ? table.defaults[column.index] : scalarDatum(ZERO_UUID);
}
