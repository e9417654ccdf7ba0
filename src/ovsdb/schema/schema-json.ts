import { ATOMIC_TYPES, type Atom, type AtomicType } from '../data/atom.ts';
import { parseAtom } from '../data/atom-json.ts';
import { parseDatum, printDatum } from '../data/datum-json.ts';
import { OvsdbError } from '../errors.ts';
import { Members } from '../json/members.ts';
import { isObject, type Json, type JsonObject } from '../json/value.ts';
import type { BaseType } from './base-type.ts';
import { type ColumnType, isScalar } from './column-type.ts';
import type { ColumnDefinition, SchemaDefinition, TableDefinition } from './definition.ts';
import type { ColumnSchema, DatabaseSchema, TableSchema } from './schema.ts';

/** A `<database-schema>` (RFC 7047 section 3.2) of JSON; `compileSchema` checks the rest. Throws OvsdbError. */
export function parseSchema(json: Json): SchemaDefinition {
  const members = new Members(json, 'a database schema');
  const definition = {
    name: members.required('name', 'string'),
    // Old schemas have no version; ovsdb-server reads them so too.
    version: members.optional('version', 'string') ?? '0.0.0',
    cksum: members.optional('cksum', 'string'),
    tables: mapMembers(members.required('tables', 'object'), parseTable),
  };
  members.finish();
  return definition;
}

function parseTable(json: Json, name: string): TableDefinition {
  const members = new Members(json, `table ${name}`);
  const table = {
    columns: mapMembers(members.required('columns', 'object'), (column, columnName) =>
      parseColumn(column, `column ${columnName} of table ${name}`),
    ),
    isRoot: members.optional('isRoot', 'boolean'),
    maxRows: members.optional('maxRows', 'integer'),
    indexes: members.optional('indexes', 'array')?.map((index) => parseIndex(index, name)),
  };
  members.finish();
  return table;
}

function parseIndex(json: Json, table: string): string[] {
  if (Array.isArray(json) && json.every((name) => typeof name === 'string')) return json;
  throw new OvsdbError('OVSDB_SYNTAX', `an index of table ${table} must be an array of column names`, { syntax: json });
}

function parseColumn(json: Json, what: string): ColumnDefinition {
  const members = new Members(json, what);
  const column = {
    type: parseType(members.required('type', 'string', 'object'), what),
    ephemeral: members.optional('ephemeral', 'boolean'),
    mutable: members.optional('mutable', 'boolean'),
  };
  members.finish();
  return column;
}

function parseType(json: Json, what: string): ColumnType {
  if (!isObject(json)) return { key: parseBase(json, what), min: 1, max: 1 };
  const members = new Members(json, `the type of ${what}`);
  const key = parseBase(members.required('key', 'string', 'object'), what);
  const valueJson = members.optional('value', 'string', 'object');
  const value = valueJson === undefined ? undefined : parseBase(valueJson, what);
  const min = members.optional('min', 'integer') ?? 1;
  const max = members.optional('max', 'integer', 'string') ?? 1;
  members.finish();
  if (typeof max === 'string' && max !== 'unlimited')
    throw members.error(`max of ${what} must be an integer or "unlimited"`);
  if (min !== 0 && min !== 1) throw members.error(`min of ${what} must be 0 or 1`);
  return { key, ...(value && { value }), min, max: typeof max === 'string' ? Number.POSITIVE_INFINITY : max };
}

function parseBase(json: Json, what: string): BaseType {
  if (!isObject(json)) return { type: parseAtomicType(json, what) };
  const members = new Members(json, `a base type of ${what}`);
  const type = parseAtomicType(members.required('type', 'string'), what);
  const base: { -readonly [K in keyof BaseType]: BaseType[K] } = { type };
  const enumJson = members.optional('enum', 'any');
  if (enumJson !== undefined)
    base.enum = parseDatum(enumJson, { key: { type }, min: 0, max: Number.POSITIVE_INFINITY }).keys;
  if (type === 'integer') {
    base.minInteger = parseBound(members.optional('minInteger', 'any'));
    base.maxInteger = parseBound(members.optional('maxInteger', 'any'));
  } else if (type === 'real') {
    base.minReal = members.optional('minReal', 'number');
    base.maxReal = members.optional('maxReal', 'number');
  } else if (type === 'string') {
    base.minLength = members.optional('minLength', 'integer');
    base.maxLength = members.optional('maxLength', 'integer');
  } else if (type === 'uuid') {
    base.refTable = members.optional('refTable', 'string');
    const refType = members.optional('refType', 'string');
    if (refType !== undefined && refType !== 'strong' && refType !== 'weak')
      throw members.error(`refType of ${what} must be "strong" or "weak"`);
    if (base.refTable !== undefined) base.refType = refType ?? 'strong';
  }
  members.finish();
  return base;
}

function parseBound(json: Json | undefined): number | bigint | undefined {
  return json === undefined ? undefined : (parseAtom(json, { type: 'integer' }) as number | bigint);
}

function parseAtomicType(json: Json, what: string): AtomicType {
  const type = ATOMIC_TYPES.find((name) => name === json);
  if (!type) throw new OvsdbError('OVSDB_SYNTAX', `${what} has an unknown atomic type`, { syntax: json });
  return type;
}

function mapMembers<T>(
  object: { readonly [name: string]: Json },
  parse: (json: Json, name: string) => T,
): Record<string, T> {
  const mapped: Record<string, T> = Object.create(null);
  for (const [name, json] of Object.entries(object)) mapped[name] = parse(json, name);
  return mapped;
}

/** The `<database-schema>` in its shortest form, as get_schema answers it and the file begins with it. */
export function printSchema(schema: DatabaseSchema): JsonObject {
  const tables: JsonObject = {};
  for (const table of schema.tables.values()) tables[table.name] = printTable(table);
  return {
    ...(schema.cksum !== undefined && { cksum: schema.cksum }),
    name: schema.name,
    tables,
    version: schema.version,
  };
}

function printTable(table: TableSchema): JsonObject {
  const columns: JsonObject = {};
  for (const column of table.columns) columns[column.name] = printColumn(column);
  const json: JsonObject = { columns };
  if (table.isRoot) json.isRoot = true;
  if (table.maxRows !== Number.POSITIVE_INFINITY) json.maxRows = table.maxRows;
  if (table.indexes.length > 0) json.indexes = table.indexes.map((index) => index.map((column) => column.name));
  return json;
}

function printColumn(column: ColumnSchema): JsonObject {
  const json: JsonObject = { type: printType(column.type) };
  if (column.ephemeral) json.ephemeral = true;
  if (!column.mutable) json.mutable = false;
  return json;
}

export function printType(type: ColumnType): Json {
  const key = printBase(type.key);
  if (isScalar(type) && typeof key === 'string') return key;
  const json: JsonObject = { key };
  if (type.value) json.value = printBase(type.value);
  if (type.min !== 1) json.min = type.min;
  if (type.max !== 1) json.max = type.max === Number.POSITIVE_INFINITY ? 'unlimited' : type.max;
  return json;
}

function printBase(base: BaseType): Json {
  const json: JsonObject = {};
  const put = (name: string, value: Atom | undefined): void => {
    if (value !== undefined) json[name] = value;
  };
  if (base.enum)
    json.enum = printDatum(
      { keys: base.enum, values: [] },
      { key: { type: base.type }, min: 0, max: base.enum.length },
    );
  put('minInteger', base.minInteger);
  put('maxInteger', base.maxInteger);
  put('minReal', base.minReal);
  put('maxReal', base.maxReal);
  put('minLength', base.minLength);
  put('maxLength', base.maxLength);
  put('refTable', base.refTable);
  if (base.refTable !== undefined && base.refType === 'weak') put('refType', 'weak');
  if (Object.keys(json).length === 0) return base.type;
  return { type: base.type, ...json };
}
