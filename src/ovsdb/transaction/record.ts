import { type Datum, difference, equalData } from '../data/datum.ts';
import { printDatum } from '../data/datum-json.ts';
import type { Row } from '../data/row.ts';
import type { Changes, RowChange, Table } from '../data/table.ts';
import type { JsonObject } from '../json/value.ts';

/**
 * A commit as the file keeps it (`<file-txn>` of ovsdb(5)): per table and row the persistent columns, for a modified row
 * as differences (`_is_diff`), null for a deleted one. Undefined when nothing persistent changed.
 */
export function commitRecord(changes: Changes, comments: readonly string[], dateMs: number): JsonObject | undefined {
  const record: JsonObject = { _date: dateMs };
  let isEmpty = true;
  for (const [table, rows] of changes) {
    const tableRecord: JsonObject = {};
    for (const [uuid, change] of rows) {
      const rowRecord = recordOfRow(table, change);
      if (rowRecord !== undefined) tableRecord[uuid] = rowRecord;
    }
    if (Object.keys(tableRecord).length === 0) continue;
    record[table.schema.name] = tableRecord;
    isEmpty = false;
  }
  if (isEmpty) return undefined;
  record._is_diff = true;
  if (comments.length > 0) record._comment = comments.join('\n');
  return record;
}

function recordOfRow(table: Table, { before, after }: RowChange): JsonObject | null | undefined {
  if (!after) return null;
  if (!before) return recordOfNewRow(table, after);
  const record = recordOfColumns(table, after, (datum, i) => {
    const old = before.data[i];
    if (equalData(old, datum)) return undefined;
    // To a default value, readers do not apply a difference: they take what is written for the new value.
    return equalData(old, table.defaults[i]) ? datum : difference(old, datum, table.schema.columns[i].type);
  });
  return Object.keys(record).length === 0 ? undefined : record;
}

/** All persistent columns of a row that do not have their default. */
export function recordOfNewRow(table: Table, row: Row): JsonObject {
  return recordOfColumns(table, row, (datum, i) => (equalData(datum, table.defaults[i]) ? undefined : datum));
}

function recordOfColumns(table: Table, row: Row, pick: (datum: Datum, i: number) => Datum | undefined): JsonObject {
  const record: JsonObject = {};
  for (const { name, index, type, ephemeral } of table.schema.columns) {
    if (ephemeral) continue;
    const datum = pick(row.data[index], index);
    if (datum) record[name] = printDatum(datum, type);
  }
  return record;
}
