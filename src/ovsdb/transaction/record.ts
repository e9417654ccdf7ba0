import { type Datum, difference, equalData } from '../data/datum.ts';
import { printDatum } from '../data/datum-json.ts';
import type { Row } from '../data/row.ts';
import type { Changes, RowChange, Table } from '../data/table.ts';
import type { JsonObject } from '../json/value.ts';
import type { Steps } from './steps.ts';

/**
 * A commit as the file keeps it (`<file-txn>` of ovsdb(5)): per table and row the persistent columns that changed, null for
 * a deleted row. Undefined when nothing persistent changed. With `_is_diff`, modified columns of several elements are
 * written as differences, so that adding one port to a bridge of a thousand costs one line.
 */
export function* commitRecord(
  changes: Changes,
  comments: readonly string[],
  dateMs: number,
): Steps<JsonObject | undefined> {
  const tables = (yield* tableRecords(changes, true)) ?? (yield* tableRecords(changes, false));
  if (!tables || Object.keys(tables.records).length === 0) return undefined;
  return {
    _date: dateMs,
    ...tables.records,
    ...(tables.isDiff && { _is_diff: true }),
    ...(comments.length > 0 && { _comment: comments.join('\n') }),
  };
}

/** Undefined when a difference is one that ovsdb-tool 3.1 would refuse to read. */
function* tableRecords(
  changes: Changes,
  isDiff: boolean,
): Steps<{ readonly records: JsonObject; readonly isDiff: boolean } | undefined> {
  const records: JsonObject = {};
  for (const [table, rows] of changes) {
    const tableRecord: JsonObject = {};
    for (const [uuid, change] of rows) {
      const rowRecord = recordOfRow(table, change, isDiff);
      if (rowRecord === 'unreadable') return undefined;
      if (rowRecord !== undefined) tableRecord[uuid] = rowRecord;
      yield;
    }
    if (Object.keys(tableRecord).length > 0) records[table.schema.name] = tableRecord;
  }
  return { records, isDiff };
}

function recordOfRow(
  table: Table,
  { before, after }: RowChange,
  isDiff: boolean,
): JsonObject | null | undefined | 'unreadable' {
  if (!after) return null;
  if (!before) return recordOfNewRow(table, after);
  let isReadable = true;
  const record = recordOfColumns(table, after, (datum, i) => {
    const old = before.data[i];
    if (equalData(old, datum)) return undefined;
    // To a default value, readers do not apply a difference: they take what is written for the new value.
    if (!isDiff || equalData(old, table.defaults[i])) return datum;
    const { type } = table.schema.columns[i];
    const change = difference(old, datum, type);
    // A difference may have more elements than the column may, or none; ovsdb-tool checks it like a value.
    isReadable &&= change.keys.length >= type.min && change.keys.length <= type.max;
    return change;
  });
  if (!isReadable) return 'unreadable';
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
