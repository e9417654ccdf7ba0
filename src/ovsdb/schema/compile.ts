import { isId } from '../data/atom-json.ts';
import { OvsdbError } from '../errors.ts';
import type { BaseType } from './base-type.ts';
import type { ColumnDefinition, SchemaDefinition, TableDefinition } from './definition.ts';
import { type ColumnSchema, type DatabaseSchema, type TableSchema, UUID_COLUMN, VERSION_COLUMN } from './schema.ts';

/** Checks a schema (RFC 7047 section 3.2) and gives every column its place. Throws OvsdbError OVSDB_SCHEMA. */
export function compileSchema(definition: SchemaDefinition): DatabaseSchema {
  if (!isName(definition.name) && definition.name !== '_Server')
    fail(`database name "${definition.name}" is not an <id>`);
  if (!/^[0-9]+\.[0-9]+\.[0-9]+$/.test(definition.version))
    fail(`version "${definition.version}" is not of the form x.y.z`);
  const tables = Object.entries(definition.tables);
  // RFC 7047: a schema without any isRoot predates garbage collection; all its tables are roots.
  const allRoots = !tables.some(([, table]) => table.isRoot);
  const compiled = new Map<string, TableSchema>();
  for (const [name, table] of tables) compiled.set(name, compileTable(name, table, definition, allRoots));
  return { name: definition.name, version: definition.version, cksum: definition.cksum, tables: compiled };
}

function compileTable(name: string, table: TableDefinition, schema: SchemaDefinition, allRoots: boolean): TableSchema {
  if (!isName(name)) fail(`table name "${name}" is not an <id> without leading underscore`);
  const columns: ColumnSchema[] = [];
  const byName = new Map([UUID_COLUMN, VERSION_COLUMN].map((column) => [column.name, column]));
  for (const [columnName, definition] of Object.entries(table.columns)) {
    if (!isName(columnName))
      fail(`column name "${columnName}" of table ${name} is not an <id> without leading underscore`);
    const column = compileColumn(columnName, columns.length, name, definition, schema);
    columns.push(column);
    byName.set(columnName, column);
  }
  const maxRows = table.maxRows ?? Number.POSITIVE_INFINITY;
  if (maxRows !== Number.POSITIVE_INFINITY && !(Number.isSafeInteger(maxRows) && maxRows > 0))
    fail(`maxRows of table ${name} must be a positive integer`);
  return {
    name,
    columns,
    maxRows,
    isRoot: allRoots || table.isRoot === true,
    indexes: (table.indexes ?? []).map((index) => compileIndex(index, name, byName)),
    column: (wanted) => byName.get(wanted),
  };
}

function compileColumn(
  name: string,
  index: number,
  table: string,
  { type, ephemeral, mutable }: ColumnDefinition,
  schema: SchemaDefinition,
): ColumnSchema {
  const where = `column ${name} of table ${table}`;
  if (type.min !== 0 && type.min !== 1) fail(`min of ${where} must be 0 or 1`);
  const maxFits = type.max === Number.POSITIVE_INFINITY || Number.isSafeInteger(type.max);
  if (!maxFits || type.max < 1 || type.max < type.min) fail(`max of ${where} must be "unlimited" or at least 1`);
  checkBase(type.key, where, schema);
  if (type.value) checkBase(type.value, where, schema);
  // A weak reference goes away with its row, so its column changes, whatever the schema says.
  const holdsWeakRefs = isWeak(type.key) || (type.value !== undefined && isWeak(type.value));
  return { name, index, type, ephemeral: ephemeral === true, mutable: mutable !== false || holdsWeakRefs };
}

function isWeak(base: BaseType): boolean {
  return base.refTable !== undefined && base.refType === 'weak';
}

function checkBase(base: BaseType, where: string, schema: SchemaDefinition): void {
  if (base.refTable !== undefined && !Object.hasOwn(schema.tables, base.refTable))
    fail(`${where} refers to table ${base.refTable}, which does not exist`);
  const isAbove = (min: number | bigint | undefined, max: number | bigint | undefined): boolean =>
    min !== undefined && max !== undefined && min > max;
  if (
    isAbove(base.minInteger, base.maxInteger) ||
    isAbove(base.minReal, base.maxReal) ||
    isAbove(base.minLength, base.maxLength)
  )
    fail(`the minimum of ${where} is above its maximum`);
  if (base.enum?.length === 0) fail(`the enum of ${where} is empty`);
}

function compileIndex(
  index: readonly string[],
  table: string,
  columns: ReadonlyMap<string, ColumnSchema>,
): ColumnSchema[] {
  if (index.length === 0) fail(`an index of table ${table} names no column`);
  if (new Set(index).size !== index.length) fail(`an index of table ${table} names a column twice`);
  return index.map((name) => {
    const column = columns.get(name);
    if (!column || column.index < 0) fail(`an index of table ${table} names "${name}", which is no column of it`);
    if (column.ephemeral) fail(`an index of table ${table} names the ephemeral column ${name}`);
    return column;
  });
}

function isName(name: string): boolean {
  return isId(name) && !name.startsWith('_');
}

function fail(message: string): never {
  throw new OvsdbError('OVSDB_SCHEMA', message);
}
