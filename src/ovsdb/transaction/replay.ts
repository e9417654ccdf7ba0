import { applyDifference, equalData } from '../data/datum.ts';
import { parseDatum } from '../data/datum-json.ts';
import type { Row } from '../data/row.ts';
import type { Table } from '../data/table.ts';
import { parseUuid, type Uuid } from '../data/uuid.ts';
import { OvsdbError } from '../errors.ts';
import { isObject, type Json } from '../json/value.ts';
import { isComposite } from '../schema/column-type.ts';
import type { ColumnSchema } from '../schema/schema.ts';
import { Transaction } from './transaction.ts';

/** The transaction that a record of the file tells of; the opposite of `commitRecord`. Throws OvsdbError. */
export function replayRecord(json: Json, tables: ReadonlyMap<string, Table>): Transaction {
  if (!isObject(json)) throw new OvsdbError('OVSDB_SYNTAX', 'a transaction record must be an object', { syntax: json });
  const transaction = new Transaction(tables);
  const isDiff = json._is_diff === true;
  for (const [name, rows] of Object.entries(json)) {
    const table = tables.get(name);
    if (table) {
      if (!isObject(rows))
        throw new OvsdbError('OVSDB_SYNTAX', `rows of table ${name} must be an object`, { syntax: rows });
      for (const [uuid, row] of Object.entries(rows)) replayRow(transaction, table, uuid, row, isDiff);
    } else if (!name.startsWith('_')) {
      throw new OvsdbError('OVSDB_SYNTAX', `there is no table ${name}`);
    }
  }
  return transaction;
}

function replayRow(transaction: Transaction, table: Table, uuidText: string, json: Json, isDiff: boolean): void {
  const uuid = parseUuid(uuidText);
  if (!uuid) throw new OvsdbError('OVSDB_SYNTAX', 'not a valid UUID', { syntax: uuidText });
  const before = transaction.get(table, uuid);
  if (json === null) {
    if (!before) throw new OvsdbError('OVSDB_SYNTAX', `row ${uuid}, which the record deletes, does not exist`);
    transaction.remove(table, uuid);
    return;
  }
  if (!isObject(json)) throw new OvsdbError('OVSDB_SYNTAX', 'a row must be an object or null', { syntax: json });
  transaction.put(table, replayColumns(table, uuid, before, json, isDiff));
}

function replayColumns(
  table: Table,
  uuid: Uuid,
  before: Row | undefined,
  json: { readonly [column: string]: Json },
  isDiff: boolean,
): Row {
  const data = before ? [...before.data] : [...table.defaults];
  for (const [name, value] of Object.entries(json)) {
    const column = table.schema.column(name);
    if (!column || column.index < 0)
      throw new OvsdbError('OVSDB_UNKNOWN_COLUMN', `table ${table.schema.name} has no column ${name}`);
    const { index, type } = column;
    if (before && isDiff && isComposite(type) && !equalData(data[index], table.defaults[index]))
      data[index] = applyDifference(data[index], parseDatum(value, differenceType(column)), type);
    else data[index] = parseDatum(value, type);
  }
  return { uuid, version: uuid, data };
}

/** A difference may hold any number of elements, whatever the column may hold. */
function differenceType(column: ColumnSchema): ColumnSchema['type'] {
  return { ...column.type, min: 0, max: Number.POSITIVE_INFINITY };
}
