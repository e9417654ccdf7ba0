import { type Datum, defaultDatum, equalData, filterDatum, findKey, subtract, union } from '../data/datum.ts';
import { printDatum } from '../data/datum-json.ts';
import { newUuid, type Uuid } from '../data/uuid.ts';
import { OvsdbError } from '../errors.ts';
import { isArray, type Json, type JsonObject } from '../json/value.ts';
import type { ColumnType } from '../schema/column-type.ts';
import { type ColumnSchema, type DatabaseSchema, type TableSchema, UUID_COLUMN } from '../schema/schema.ts';

/** The rows that a draft begins with. */
export interface DraftBase {
  readonly schema: DatabaseSchema;
  uuids(table: string): Iterable<Uuid>;
  data(table: string, uuid: Uuid): readonly Datum[] | undefined;
}

/** What is to be printed for a reference: by name when the row is inserted in the same transaction. */
type PrintReferences = (json: Json) => Json;

/** How a column of a row came to differ from the database: as a whole, or by elements put in and taken out. */
type ChangeKind = 'written' | 'mutated';

/**
 * Changes that are not sent yet, with the rows as they will be: what has been written is read back. `operations` gives
 * what brings the database there (RFC 7047 section 5.2).
 */
export class Draft {
  readonly #base: DraftBase;
  readonly #tables = new Map<string, Map<Uuid, DraftRow>>();

  constructor(base: DraftBase) {
    this.#base = base;
  }

  get schema(): DatabaseSchema {
    return this.#base.schema;
  }

  /** The schema of a table; throws OvsdbError for one that there is not. */
  table(name: string): TableSchema {
    const table = this.schema.tables.get(name);
    if (!table) throw new OvsdbError('OVSDB_SYNTAX', `there is no table ${name}`);
    return table;
  }

  *rows(table: string): Generator<DraftRow> {
    for (const uuid of this.#base.uuids(table)) {
      const row = this.row(table, uuid);
      if (row) yield row;
    }
    for (const row of [...(this.#tables.get(table)?.values() ?? [])]) if (row.isNew && !row.isDeleted) yield row;
  }

  row(table: string, uuid: Uuid): DraftRow | undefined {
    const known = this.#tables.get(table)?.get(uuid);
    if (known) return known.isDeleted ? undefined : known;
    const data = this.#base.data(table, uuid);
    return data && this.#keep(new DraftRow(this.table(table), uuid, data, false));
  }

  /** A new row; `uuid` is what it is called until the database gives it another one. */
  insert(table: string, uuid: Uuid = newUuid()): DraftRow {
    const schema = this.table(table);
    return this.#keep(
      new DraftRow(
        schema,
        uuid,
        schema.columns.map(({ type }) => defaultDatum(type)),
        true,
      ),
    );
  }

  #keep(row: DraftRow): DraftRow {
    const { name } = row.table;
    const rows = this.#tables.get(name);
    if (rows) rows.set(row.uuid, row);
    else this.#tables.set(name, new Map([[row.uuid, row]]));
    return row;
  }

  /** The operations, those first that check that nothing has changed; none when nothing is to be changed. */
  operations(): JsonObject[] {
    const rows = [...this.#tables.values()].flatMap((table) => [...table.values()]);
    const inserted = new Set(rows.filter(({ isNew, isDeleted }) => isNew && !isDeleted).map(({ uuid }) => uuid));
    const print = (json: Json): Json => nameNewRows(json, inserted);
    const changes = rows.flatMap((row) => row.operations(print));
    return changes.length === 0 ? [] : [...rows.flatMap((row) => row.checks()), ...changes];
  }
}

/** One row of a draft. */
export class DraftRow {
  readonly table: TableSchema;
  readonly uuid: Uuid;
  readonly isNew: boolean;
  readonly #before: readonly Datum[];
  readonly #now: Datum[];
  readonly #changes = new Map<ColumnSchema, ChangeKind>();
  readonly #verified = new Set<ColumnSchema>();
  #isDeleted = false;

  constructor(table: TableSchema, uuid: Uuid, data: readonly Datum[], isNew: boolean) {
    this.table = table;
    this.uuid = uuid;
    this.isNew = isNew;
    this.#before = data;
    this.#now = [...data];
  }

  get isDeleted(): boolean {
    return this.#isDeleted;
  }

  column(name: string): ColumnSchema {
    const column = this.table.column(name);
    if (!column) throw new OvsdbError('OVSDB_UNKNOWN_COLUMN', `table ${this.table.name} has no column ${name}`);
    return column;
  }

  get(column: ColumnSchema | string): Datum {
    const { index } = typeof column === 'string' ? this.column(column) : column;
    return index < 0 ? { keys: [this.uuid], values: [] } : this.#now[index];
  }

  /** The first element of a column of strings; empty when there is none. */
  text(name: string): string {
    const [first] = this.get(name).keys;
    return first === undefined ? '' : String(first);
  }

  uuids(name: string): readonly Uuid[] {
    return this.get(name).keys as readonly Uuid[];
  }

  write(column: ColumnSchema | string, datum: Datum): void {
    this.#change(column, datum, 'written');
  }

  /** Puts elements in; pairs of a map take the place of those with the same key. */
  add(column: ColumnSchema | string, added: Datum): void {
    const now = this.get(column);
    const kept = added.values.length > 0 ? subtract(now, { keys: added.keys, values: [] }) : now;
    this.#change(column, union(kept, added), 'mutated');
  }

  /** Takes elements out; with values only pairs that are alike. */
  remove(column: ColumnSchema | string, removed: Datum): void {
    this.#change(column, subtract(this.get(column), removed), 'mutated');
  }

  #change(columnOrName: ColumnSchema | string, datum: Datum, kind: ChangeKind): void {
    const column = typeof columnOrName === 'string' ? this.column(columnOrName) : columnOrName;
    this.#now[column.index] = datum;
    if (this.#changes.get(column) !== 'written') this.#changes.set(column, kind);
  }

  /** Of a table whose rows stay only while something refers to them, the server itself takes the row away when nothing does. */
  delete(): void {
    this.#isDeleted = true;
  }

  /** The transaction comes to nothing unless the column still is in the database what it was when the draft began. */
  verify(name: string): void {
    if (!this.isNew) this.#verified.add(this.column(name));
  }

  get #where(): Json {
    return [['_uuid', '==', ['uuid', this.uuid]]];
  }

  checks(): JsonObject[] {
    if (this.#verified.size === 0) return [];
    const columns = [...this.#verified].map(({ name }) => name);
    const rows: JsonObject = {};
    for (const { name, index, type } of this.#verified) rows[name] = printDatum(this.#before[index], type);
    const { table } = this;
    return [{ op: 'wait', timeout: 0, table: table.name, where: this.#where, columns, until: '==', rows: [rows] }];
  }

  operations(print: PrintReferences): JsonObject[] {
    const table = this.table.name;
    if (this.isNew) return this.#isDeleted ? [] : [this.#insertOperation(print)];
    if (this.#isDeleted) return this.table.isRoot ? [{ op: 'delete', table, where: this.#where }] : [];
    const row: JsonObject = {};
    const mutations: Json[] = [];
    for (const [{ name, index, type }, kind] of this.#changes) {
      const [before, now] = [this.#before[index], this.#now[index]];
      if (equalData(before, now)) continue;
      if (kind === 'written') row[name] = print(printDatum(now, type));
      else mutations.push(...mutationsBetween(name, before, now, type, print));
    }
    const operations: JsonObject[] = [];
    if (Object.keys(row).length > 0) operations.push({ op: 'update', table, where: this.#where, row });
    if (mutations.length > 0) operations.push({ op: 'mutate', table, where: this.#where, mutations });
    return operations;
  }

  #insertOperation(print: PrintReferences): JsonObject {
    const row: JsonObject = {};
    for (const { name, index, type } of this.table.columns)
      if (!equalData(this.#now[index], this.#before[index])) row[name] = print(printDatum(this.#now[index], type));
    return { op: 'insert', table: this.table.name, 'uuid-name': nameOf(this.uuid), row };
  }
}

/** Keys that go or get another value are deleted first: inserting keeps what is there (RFC 7047 section 5.1). */
function mutationsBetween(name: string, before: Datum, now: Datum, type: ColumnType, print: PrintReferences): Json[] {
  const isIn = (datum: Datum, key: Datum['keys'][number], value: unknown): boolean => {
    const at = findKey(datum, key);
    return at >= 0 && (type.value === undefined || datum.values[at] === value);
  };
  const gone = filterDatum(before, (key, value) => !isIn(now, key, value));
  const come = filterDatum(now, (key, value) => !isIn(before, key, value));
  const mutations: Json[] = [];
  const keyType: ColumnType = { key: type.key, min: 0, max: Number.POSITIVE_INFINITY };
  if (gone.keys.length > 0)
    mutations.push([name, 'delete', print(printDatum({ keys: gone.keys, values: [] }, keyType))]);
  if (come.keys.length > 0) mutations.push([name, 'insert', print(printDatum(come, type))]);
  return mutations;
}

/** An `<id>` for a row that has no UUID in the database yet. */
function nameOf(uuid: Uuid): string {
  return `row${uuid.replaceAll('-', '_')}`;
}

function nameNewRows(json: Json, inserted: ReadonlySet<Uuid>): Json {
  if (inserted.size === 0 || !isArray(json)) return json;
  if (json.length === 2 && json[0] === 'uuid' && inserted.has(json[1] as Uuid))
    return ['named-uuid', nameOf(json[1] as Uuid)];
  return json.map((element) => nameNewRows(element, inserted));
}

/** What a column of a new row holds. */
export function defaultDatumOf({ type }: ColumnSchema): Datum {
  return defaultDatum(type);
}

/** The columns of a table as ovs-vsctl lists them: by name, the row's UUID first. */
export function listedColumns(table: TableSchema): ColumnSchema[] {
  return [UUID_COLUMN, ...[...table.columns].sort((a, b) => (a.name < b.name ? -1 : 1))];
}
