import type { ColumnType } from './column-type.ts';

/** `<column-schema>` of RFC 7047 section 3.2, with its place in a row's data. */
export interface ColumnSchema {
  readonly name: string;
  readonly index: number;
  readonly type: ColumnType;
  /** Not written to the file: gone after a restart. */
  readonly ephemeral: boolean;
  readonly mutable: boolean;
}

export interface TableSchema {
  readonly name: string;
  readonly columns: readonly ColumnSchema[];
  readonly maxRows: number;
  /** Rows stay though nothing refers to them. */
  readonly isRoot: boolean;
  /** Each a set of columns whose values together occur once. */
  readonly indexes: readonly (readonly ColumnSchema[])[];
  /** The column of that name, `_uuid` and `_version` among them. */
  column(name: string): ColumnSchema | undefined;
}

export interface DatabaseSchema {
  readonly name: string;
  /** `x.y.z` */
  readonly version: string;
  readonly cksum: string | undefined;
  readonly tables: ReadonlyMap<string, TableSchema>;
}

const UUID_TYPE: ColumnType = { key: { type: 'uuid' }, min: 1, max: 1 };

/** The two columns that every table has (RFC 7047 section 3.2); their values stand beside a row's data. */
export const UUID_COLUMN: ColumnSchema = {
  name: '_uuid',
  index: -1,
  type: UUID_TYPE,
  ephemeral: false,
  mutable: false,
};
export const VERSION_COLUMN: ColumnSchema = {
  name: '_version',
  index: -2,
  type: UUID_TYPE,
  ephemeral: true,
  mutable: false,
};
