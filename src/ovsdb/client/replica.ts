import { applyDifference, type Datum, defaultDatum } from '../data/datum.ts';
import { parseDatum } from '../data/datum-json.ts';
import { parseUuid, type Uuid, ZERO_UUID } from '../data/uuid.ts';
import { OvsdbError } from '../errors.ts';
import { Members } from '../json/members.ts';
import { isObject, type Json } from '../json/value.ts';
import type { ColumnType } from '../schema/column-type.ts';
import type { DatabaseSchema, TableSchema } from '../schema/schema.ts';
import { programValue, type Value } from './value.ts';

/** A row as programs see it, without its static type. */
export type PlainRow = Readonly<Record<string, Value>> & { readonly _uuid: Uuid };

/** What became of one row of the replica. */
export interface PlainRowEvent {
  readonly table: string;
  readonly uuid: Uuid;
  readonly before: PlainRow | undefined;
  readonly after: PlainRow | undefined;
}

interface ReplicaRow {
  readonly data: readonly Datum[];
  readonly row: PlainRow;
}

type UpdateForm = 'row-update' | 'row-update2';

/** The rows of one table as the server last told of them. */
class ReplicaTable {
  readonly schema: TableSchema;
  readonly rows = new Map<Uuid, ReplicaRow>();
  readonly plain = new Map<Uuid, PlainRow>();
  /** A row of which nothing has been said. */
  readonly #blank: ReplicaRow;

  constructor(schema: TableSchema) {
    this.schema = schema;
    const data = schema.columns.map((column) => defaultDatum(column.type));
    const values = schema.columns.map(({ name, index, type }) => [name, programValue(data[index], type)]);
    this.#blank = { data, row: { ...Object.fromEntries(values), _uuid: ZERO_UUID } };
  }

  /** Applies one `<row-update>` or `<row-update2>`; throws OvsdbError OVSDB_PROTOCOL when it makes no sense. */
  apply(uuid: Uuid, update: Json, form: UpdateForm): PlainRowEvent | undefined {
    const before = this.rows.get(uuid);
    const after = form === 'row-update' ? this.#newRow(uuid, update) : this.#newRow2(uuid, update, before);
    return this.replace(uuid, after);
  }

  /** RFC 7047 section 4.1.6 */
  #newRow(uuid: Uuid, update: Json): ReplicaRow | undefined {
    const members = new Members(update, 'a row update');
    members.optional('old', 'any');
    const now = members.optional('new', 'object');
    members.finish();
    return now && this.#withColumns(uuid, this.#blank, now, (_old, datum) => datum);
  }

  /** ovsdb-server(7) section 4.1.14 */
  #newRow2(uuid: Uuid, update: Json, before: ReplicaRow | undefined): ReplicaRow | undefined {
    const members = new Members(update, 'a row update');
    const inserted = members.optional('initial', 'object') ?? members.optional('insert', 'object');
    const modified = members.optional('modify', 'object');
    members.optional('delete', 'any');
    members.finish();
    if (inserted) return this.#withColumns(uuid, this.#blank, inserted, (_old, datum) => datum);
    if (!modified) return undefined;
    if (!before)
      throw new OvsdbError('OVSDB_PROTOCOL', `table ${this.schema.name}: a row that was never told of is modified`);
    return this.#withColumns(uuid, before, modified, applyDifference);
  }

  /** Another row made of `base`: values of columns that nothing is said of are the very same. */
  #withColumns(
    uuid: Uuid,
    base: ReplicaRow,
    json: { readonly [column: string]: Json },
    combine: (old: Datum, datum: Datum, type: ColumnType) => Datum,
  ): ReplicaRow {
    const data = [...base.data];
    const row: Record<string, Value> & { _uuid: Uuid } = { ...base.row, _uuid: uuid };
    for (const [name, value] of Object.entries(json)) {
      const column = this.schema.column(name);
      if (!column || column.index < 0) continue;
      const { index, type } = column;
      data[index] = combine(data[index], parseDatum(value, receivedType(type)), type);
      row[name] = programValue(data[index], type);
    }
    return { data, row };
  }

  replace(uuid: Uuid, after: ReplicaRow | undefined): PlainRowEvent | undefined {
    const before = this.rows.get(uuid)?.row;
    if (!after) {
      this.rows.delete(uuid);
      this.plain.delete(uuid);
      return before && { table: this.schema.name, uuid, before, after: undefined };
    }
    this.rows.set(uuid, after);
    this.plain.set(uuid, after.row);
    return { table: this.schema.name, uuid, before, after: after.row };
  }
}

/** Differences, and what servers with other constraints send, need not keep ours. */
function receivedType(type: ColumnType): ColumnType {
  return {
    key: { type: type.key.type },
    ...(type.value && { value: { type: type.value.type } }),
    min: 0,
    max: Number.POSITIVE_INFINITY,
  };
}

/** A copy of a database's rows, kept so by the updates of a monitor. */
export class Replica {
  readonly tables: ReadonlyMap<string, ReplicaTable>;

  constructor(schema: DatabaseSchema) {
    this.tables = new Map([...schema.tables].map(([name, table]) => [name, new ReplicaTable(table)]));
  }

  rows(table: string): ReadonlyMap<Uuid, PlainRow> {
    return this.tables.get(table)?.plain ?? new Map();
  }

  /** Applies the `<table-updates>` of a notification. Throws OvsdbError. */
  update(updates: Json, form: UpdateForm): PlainRowEvent[] {
    const events: PlainRowEvent[] = [];
    this.#forEachRow(updates, (table, uuid, update) => {
      const event = table.apply(uuid, update, form);
      if (event) events.push(event);
    });
    return events;
  }

  /** Takes the `<table-updates>` of a monitor's first reply for all that there is. Throws OvsdbError. */
  replace(updates: Json, form: UpdateForm): PlainRowEvent[] {
    const gone = new Map([...this.tables.values()].map((table) => [table, new Set(table.rows.keys())]));
    const events: PlainRowEvent[] = [];
    this.#forEachRow(updates, (table, uuid, update) => {
      gone.get(table)?.delete(uuid);
      const event = table.apply(uuid, update, form);
      if (event) events.push(event);
    });
    for (const [table, uuids] of gone)
      for (const uuid of uuids) {
        const event = table.replace(uuid, undefined);
        if (event) events.push(event);
      }
    return events.filter(hasChanged);
  }

  #forEachRow(updates: Json, action: (table: ReplicaTable, uuid: Uuid, update: Json) => void): void {
    const tables = new Members(updates, 'table updates').json;
    for (const [name, rows] of Object.entries(tables)) {
      const table = this.tables.get(name);
      if (!table) continue;
      if (!isObject(rows)) throw new OvsdbError('OVSDB_PROTOCOL', `the updates of table ${name} must be an object`);
      for (const [text, update] of Object.entries(rows)) {
        const uuid = parseUuid(text);
        if (!uuid) throw new OvsdbError('OVSDB_PROTOCOL', `table ${name}: "${text}" is not a UUID`);
        action(table, uuid, update);
      }
    }
  }
}

/** After a reconnect most rows are what they were. */
function hasChanged({ before, after }: PlainRowEvent): boolean {
  if (!before || !after) return true;
  return Object.keys(after).some((name) => !isSameValue(before[name], after[name]));
}

function isSameValue(a: Value, b: Value): boolean {
  if (a instanceof Map && b instanceof Map)
    return a.size === b.size && [...a].every(([key, value]) => b.get(key) === value);
  if (Array.isArray(a) && Array.isArray(b)) return a.length === b.length && a.every((element, i) => element === b[i]);
  return a === b;
}
