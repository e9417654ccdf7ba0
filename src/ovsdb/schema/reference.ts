import type { Atom } from '../data/atom.ts';
import type { Datum } from '../data/datum.ts';
import type { Row } from '../data/row.ts';
import type { Uuid } from '../data/uuid.ts';
import type { ColumnSchema, TableSchema } from './schema.ts';

/** Where in a table's rows references to other rows stand. */
export interface Reference {
  readonly column: ColumnSchema;
  readonly part: 'keys' | 'values';
  readonly refTable: string;
}

export function referencesOf(table: TableSchema, refType: 'strong' | 'weak'): Reference[] {
  const references: Reference[] = [];
  for (const column of table.columns) {
    const { key, value } = column.type;
    if (key.refTable !== undefined && key.refType === refType)
      references.push({ column, part: 'keys', refTable: key.refTable });
    if (value?.refTable !== undefined && value.refType === refType)
      references.push({ column, part: 'values', refTable: value.refTable });
  }
  return references;
}

/** The UUIDs that `row` refers to by `reference`. */
export function referredUuids(row: Row, reference: Reference): readonly Uuid[] {
  const datum: Datum = row.data[reference.column.index];
  const atoms: readonly Atom[] = datum[reference.part];
  return atoms as readonly Uuid[];
}
