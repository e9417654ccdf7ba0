import { type ColumnSchema, UUID_COLUMN, VERSION_COLUMN } from '../schema/schema.ts';
import { type Datum, scalarDatum } from './datum.ts';
import type { Uuid } from './uuid.ts';

/** One version of one row. Rows are never changed in place: who holds one may keep it. */
export interface Row {
  readonly uuid: Uuid;
  readonly version: Uuid;
  /** By column index. */
  readonly data: readonly Datum[];
}

export function datumOf(row: Row, column: ColumnSchema): Datum {
  if (column.index >= 0) return row.data[column.index];
  return scalarDatum(column === UUID_COLUMN ? row.uuid : row.version);
}

/** The columns that a client means who names none. */
export function allColumns(columns: readonly ColumnSchema[]): ColumnSchema[] {
  return [...columns, UUID_COLUMN, VERSION_COLUMN];
}
