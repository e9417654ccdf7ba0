import { brokenConstraint } from '../schema/base-type.ts';
import type { ColumnType } from '../schema/column-type.ts';
import { type Reference, referencesOf, referredUuids } from '../schema/reference.ts';
import type { ColumnSchema, TableSchema } from '../schema/schema.ts';
import { type Datum, defaultDatum } from './datum.ts';
import type { Row } from './row.ts';
import type { Uuid } from './uuid.ts';

/** What became of one row: `before` undefined means inserted, `after` undefined means deleted. */
export interface RowChange {
  readonly before: Row | undefined;
  readonly after: Row | undefined;
}

/** Every row that one commit changed. */
export type Changes = ReadonlyMap<Table, ReadonlyMap<Uuid, RowChange>>;

/** The committed rows of one table, with what commits need to look up fast. */
export class Table {
  readonly schema: TableSchema;
  readonly strongReferences: readonly Reference[];
  readonly weakReferences: readonly Reference[];
  readonly defaults: readonly Datum[];
  /** By column index: why the default breaks the column's own constraints, so that every row needs a value there. */
  readonly brokenDefaults: readonly (string | undefined)[];
  readonly #rows = new Map<Uuid, Row>();
  /** How many strong references other rows hold to a row of this table. */
  readonly #strongCounts = new Map<Uuid, number>();
  /** Which rows hold weak references to a row of this table. */
  readonly #weakHolders = new Map<Uuid, Map<Uuid, Table>>();
  /** For each index of the schema, from the key of `indexKey` to the row. */
  readonly #byIndex: readonly Map<string, Uuid>[];

  constructor(schema: TableSchema) {
    this.schema = schema;
    this.strongReferences = referencesOf(schema, 'strong');
    this.weakReferences = referencesOf(schema, 'weak');
    this.defaults = schema.columns.map((column) => defaultDatum(column.type));
    this.brokenDefaults = schema.columns.map(({ type }, i) => brokenDatum(this.defaults[i], type));
    this.#byIndex = schema.indexes.map(() => new Map());
  }

  get rows(): ReadonlyMap<Uuid, Row> {
    return this.#rows;
  }

  strongCount(uuid: Uuid): number {
    return this.#strongCounts.get(uuid) ?? 0;
  }

  weakHolders(uuid: Uuid): ReadonlyMap<Uuid, Table> | undefined {
    return this.#weakHolders.get(uuid);
  }

  /** The row that has `key` in index number `index`. */
  lookup(index: number, key: string): Uuid | undefined {
    return this.#byIndex[index].get(key);
  }

  addStrongCount(uuid: Uuid, delta: number): void {
    const count = this.strongCount(uuid) + delta;
    if (count === 0) this.#strongCounts.delete(uuid);
    else this.#strongCounts.set(uuid, count);
  }

  /** Makes committed changes so, all rows of this table at once. */
  apply(changes: ReadonlyMap<Uuid, RowChange>, tables: ReadonlyMap<string, Table>): void {
    for (const { before } of changes.values()) if (before) this.#forget(before, tables);
    for (const { after } of changes.values()) if (after) this.#remember(after, tables);
  }

  #forget(row: Row, tables: ReadonlyMap<string, Table>): void {
    this.#rows.delete(row.uuid);
    this.schema.indexes.forEach((index, i) => {
      this.#byIndex[i].delete(indexKey(row, index));
    });
    for (const [table, uuid] of this.#weakTargets(row, tables)) {
      const holders = table.#weakHolders.get(uuid);
      holders?.delete(row.uuid);
      if (holders?.size === 0) table.#weakHolders.delete(uuid);
    }
  }

  #remember(row: Row, tables: ReadonlyMap<string, Table>): void {
    this.#rows.set(row.uuid, row);
    this.schema.indexes.forEach((index, i) => {
      this.#byIndex[i].set(indexKey(row, index), row.uuid);
    });
    for (const [table, uuid] of this.#weakTargets(row, tables)) {
      const holders = table.#weakHolders.get(uuid);
      if (holders) holders.set(row.uuid, this);
      else table.#weakHolders.set(uuid, new Map([[row.uuid, this]]));
    }
  }

  *#weakTargets(row: Row, tables: ReadonlyMap<string, Table>): Generator<[Table, Uuid]> {
    for (const reference of this.weakReferences) {
      const table = tables.get(reference.refTable);
      if (table) for (const uuid of referredUuids(row, reference)) yield [table, uuid];
    }
  }
}

function brokenDatum({ keys, values }: Datum, { key, value }: ColumnType): string | undefined {
  const broken = keys.map((atom) => brokenConstraint(atom, key));
  if (value) broken.push(...values.map((atom) => brokenConstraint(atom, value)));
  return broken.find((why) => why !== undefined);
}

/** Equal for rows with equal values in the columns of an index. */
export function indexKey(row: Row, index: readonly ColumnSchema[]): string {
  return dataKey(index.map((column) => row.data[column.index]));
}

/** A text that is equal for equal lists of data of the same columns. */
export function dataKey(data: readonly Datum[]): string {
  // Mostly it is one name. Other keys begin with a bracket.
  if (data.length === 1) {
    const [{ keys, values }] = data;
    if (keys.length === 1 && values.length === 0 && typeof keys[0] === 'string') return `"${keys[0]}`;
  }
  return JSON.stringify(data.map(({ keys, values }) => [keys.map(atomKey), values.map(atomKey)]));
}

function atomKey(atom: unknown): unknown {
  return typeof atom === 'bigint' ? `${atom}n` : atom;
}
