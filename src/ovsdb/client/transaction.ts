import { newUuid, parseUuid, type Uuid } from '../data/uuid.ts';
import { OVSDB_ERRORS, OvsdbError, type OvsdbErrorCode, wireName } from '../errors.ts';
import { isObject, type Json, type JsonObject } from '../json/value.ts';
import type { ColumnDefinition, ColumnName, SchemaDefinition, TableName } from '../schema/definition.ts';
import type { ColumnSchema, DatabaseSchema } from '../schema/schema.ts';
import type { PlainRow } from './replica.ts';
import { printValue } from './value.ts';

/** What may be written into a column: the type of `RowOf`, and for maps with string keys a plain object too. */
type Writable<V> =
  V extends ReadonlyMap<infer K, infer E>
    ? ReadonlyMap<K, E> | (K extends string ? Readonly<Record<string, E>> : never)
    : V;

type ValueOf<D extends SchemaDefinition, T extends TableName<D>, C extends ColumnName<D, T>> =
  D['tables'][T]['columns'][C] extends ColumnDefinition<infer V> ? V : never;

/** Columns of table `T` to be written; the others keep their values, or get their defaults. */
export type WritableRow<D extends SchemaDefinition, T extends TableName<D>> = {
  readonly [C in ColumnName<D, T>]?: Writable<ValueOf<D, T, C>>;
};

/** The elements to insert into a column or to delete from it; pairs of a map may be deleted by key alone. */
type Elements<V> =
  V extends ReadonlyMap<infer K, infer _E>
    ? Writable<V> | readonly K[]
    : V extends readonly unknown[]
      ? V
      : readonly NonNullable<V>[];

export interface CommitResult {
  /** The UUID in the database of a row that `insert` gave a provisional one. */
  uuidOf(provisional: Uuid): Uuid;
  /** How many rows each operation met, in order; 0 for operations that do not count. */
  readonly counts: readonly number[];
}

/** What a transaction needs of its client. */
export interface TransactionHost {
  readonly schema: DatabaseSchema;
  row(table: string, uuid: Uuid): PlainRow | undefined;
  transact(operations: readonly Json[]): Promise<Json>;
}

/** Operations that a client gathers and then sends as one transaction (RFC 7047 section 4.1.3). */
export class ClientTransaction<D extends SchemaDefinition> {
  readonly #host: TransactionHost;
  readonly #operations: JsonObject[] = [];
  /** Provisional UUIDs, with the place of the insert. */
  readonly #inserted = new Map<Uuid, number>();

  constructor(host: TransactionHost) {
    this.#host = host;
  }

  get isEmpty(): boolean {
    return this.#operations.length === 0;
  }

  /** Gives a provisional UUID, by which this transaction can refer to the row; `CommitResult.uuidOf` tells the real one. */
  insert<T extends TableName<D>>(table: T, row: WritableRow<D, T>): Uuid {
    const provisional = newUuid();
    this.#inserted.set(provisional, this.#operations.length);
    this.#operations.push({ op: 'insert', table, row: this.#printRow(table, row), 'uuid-name': nameOf(provisional) });
    return provisional;
  }

  update<T extends TableName<D>>(table: T, uuid: Uuid, row: WritableRow<D, T>): this {
    return this.#add({ op: 'update', table, where: this.#whereRow(uuid), row: this.#printRow(table, row) });
  }

  /** Adds elements to a set, or pairs to a map (whose keys it does not have yet). */
  insertInto<T extends TableName<D>, C extends ColumnName<D, T>>(
    table: T,
    uuid: Uuid,
    column: C,
    elements: Elements<ValueOf<D, T, C>>,
  ): this {
    return this.#mutate(table, uuid, column, 'insert', elements);
  }

  /** Removes elements from a set, or pairs from a map: by key when `elements` is an array. */
  deleteFrom<T extends TableName<D>, C extends ColumnName<D, T>>(
    table: T,
    uuid: Uuid,
    column: C,
    elements: Elements<ValueOf<D, T, C>>,
  ): this {
    return this.#mutate(table, uuid, column, 'delete', elements);
  }

  /** Adds to a number. */
  increment<T extends TableName<D>>(table: T, uuid: Uuid, column: ColumnName<D, T>, by = 1): this {
    const where = this.#whereRow(uuid);
    return this.#add({ op: 'mutate', table, where, mutations: [[column, '+=', by]] });
  }

  delete(table: TableName<D>, uuid: Uuid): this {
    return this.#add({ op: 'delete', table, where: this.#whereRow(uuid) });
  }

  /** The commit fails with OVSDB_TIMED_OUT unless these columns still are what the replica has. */
  verify<T extends TableName<D>>(table: T, uuid: Uuid, ...columns: readonly ColumnName<D, T>[]): this {
    const row = this.#host.row(table, uuid);
    const rows = row ? [this.#printRow(table, Object.fromEntries(columns.map((name) => [name, row[name]])))] : [];
    return this.#add({ op: 'wait', table, where: this.#whereRow(uuid), columns, until: '==', rows, timeout: 0 });
  }

  /** The commit fails with OVSDB_NOT_OWNER unless this client holds the lock. */
  assertLock(lock: string): this {
    return this.#add({ op: 'assert', lock });
  }

  /** Goes into the database file. */
  comment(text: string): this {
    return this.#add({ op: 'comment', comment: text });
  }

  /** Sends the transaction. Rejects with the OvsdbError that the server found, or OVSDB_DISCONNECTED. */
  async commit({ isDurable = false } = {}): Promise<CommitResult> {
    if (isDurable) this.#add({ op: 'commit', durable: true });
    const results = await this.#host.transact(this.#operations);
    if (!Array.isArray(results))
      throw new OvsdbError('OVSDB_PROTOCOL', 'the results of a transaction must be an array');
    for (const result of results) if (isObject(result) && typeof result.error === 'string') throw commitError(result);
    return {
      uuidOf: (provisional) => {
        const place = this.#inserted.get(provisional);
        return place === undefined ? provisional : uuidIn(results[place]);
      },
      counts: results.map((result) => (isObject(result) && typeof result.count === 'number' ? result.count : 0)),
    };
  }

  #add(operation: JsonObject): this {
    this.#operations.push(operation);
    return this;
  }

  #mutate(table: string, uuid: Uuid, columnName: string, mutator: 'insert' | 'delete', elements: unknown): this {
    const column = this.#column(table, columnName);
    const byKey = column.type.value && Array.isArray(elements);
    const type = byKey ? { key: column.type.key, min: 0 as const, max: Number.POSITIVE_INFINITY } : column.type;
    const value = printValue(elements, type, this.#nameOf);
    return this.#add({ op: 'mutate', table, where: this.#whereRow(uuid), mutations: [[columnName, mutator, value]] });
  }

  #whereRow(uuid: Uuid): Json {
    const name = this.#nameOf(uuid);
    return [['_uuid', '==', name === undefined ? ['uuid', uuid] : ['named-uuid', name]]];
  }

  #printRow(table: string, row: Readonly<Record<string, unknown>>): JsonObject {
    const json: JsonObject = {};
    for (const [name, value] of Object.entries(row))
      if (value !== undefined) json[name] = printValue(value, this.#column(table, name).type, this.#nameOf);
    return json;
  }

  #column(table: string, name: string): ColumnSchema {
    const column = this.#host.schema.tables.get(table)?.column(name);
    if (!column) throw new OvsdbError('OVSDB_UNKNOWN_COLUMN', `table ${table} has no column ${name}`);
    return column;
  }

  readonly #nameOf = (uuid: Uuid): string | undefined => (this.#inserted.has(uuid) ? nameOf(uuid) : undefined);
}

/** An `<id>` for a provisional UUID. */
function nameOf(uuid: Uuid): string {
  return `row${uuid.replaceAll('-', '_')}`;
}

function uuidIn(result: Json): Uuid {
  const pair = isObject(result) ? result.uuid : undefined;
  const uuid = Array.isArray(pair) && typeof pair[1] === 'string' ? parseUuid(pair[1]) : undefined;
  if (!uuid) throw new OvsdbError('OVSDB_PROTOCOL', 'the result of an insert must be a UUID');
  return uuid;
}

function commitError(result: { readonly [member: string]: Json }): OvsdbError {
  const codes = Object.keys(OVSDB_ERRORS) as OvsdbErrorCode[];
  const code = codes.find((name) => wireName(name) === result.error);
  const details = typeof result.details === 'string' ? `: ${result.details}` : '';
  return new OvsdbError(code ?? 'OVSDB_REJECTED', `${result.error}${details}`, { syntax: result });
}
