import type { Datum } from '../data/datum.ts';
import type { Row } from '../data/row.ts';
import type { RowChange, Table } from '../data/table.ts';
import type { Uuid } from '../data/uuid.ts';
import { OvsdbError } from '../errors.ts';
import { type Clause, holds, namedRow } from './condition.ts';

/** Rows that one transaction may look at, over and over: about a second's work. */
const MAX_ROW_VISITS = 10_000_000;
/** Roughly, of what the select operations of one transaction answer. */
const MAX_RESULT_BYTES = 128 * 1024 * 1024;
const ELEMENT_BYTES = 8;

/**
 * The rows as one transaction sees them: the committed ones with its own changes on top. Nothing outside sees them
 * before they are committed; dropping the object aborts.
 */
export class Transaction {
  readonly tables: ReadonlyMap<string, Table>;
  readonly #changes = new Map<Table, Map<Uuid, RowChange>>();
  readonly comments: string[] = [];
  isDurable = false;
  #visits = 0;
  #resultBytes = 0;

  constructor(tables: ReadonlyMap<string, Table>) {
    this.tables = tables;
  }

  get changes(): ReadonlyMap<Table, Map<Uuid, RowChange>> {
    return this.#changes;
  }

  get(table: Table, uuid: Uuid): Row | undefined {
    const change = this.#changes.get(table)?.get(uuid);
    return change ? change.after : table.rows.get(uuid);
  }

  /** The rows for which all clauses hold, collected, so that they may be changed while going through them. */
  select(table: Table, clauses: readonly Clause[]): Row[] {
    const named = namedRow(clauses);
    if (named !== undefined) {
      const row = this.get(table, named);
      return row && clauses.every((clause) => holds(clause, row)) ? [row] : [];
    }
    this.#visits += table.rows.size + (this.#changes.get(table)?.size ?? 0);
    if (this.#visits > MAX_ROW_VISITS)
      throw new OvsdbError('OVSDB_RESOURCES', `a transaction may look at no more than ${MAX_ROW_VISITS} rows`);
    const found: Row[] = [];
    const changes = this.#changes.get(table);
    for (const row of table.rows.values())
      if (!changes?.has(row.uuid) && clauses.every((clause) => holds(clause, row))) found.push(row);
    if (changes)
      for (const { after } of changes.values())
        if (after && clauses.every((clause) => holds(clause, after))) found.push(after);
    return found;
  }

  /** To be told of everything that goes into a result. */
  countResult(data: readonly Datum[]): void {
    for (const { keys, values } of data) {
      this.#resultBytes += ELEMENT_BYTES * (keys.length + 1);
      for (const atom of keys) if (typeof atom === 'string') this.#resultBytes += atom.length;
      for (const atom of values) if (typeof atom === 'string') this.#resultBytes += atom.length;
    }
    if (this.#resultBytes > MAX_RESULT_BYTES)
      throw new OvsdbError(
        'OVSDB_RESOURCES',
        `the results of a transaction may have no more than ${MAX_RESULT_BYTES} bytes`,
      );
  }

  /** Inserts `row`, or puts it in the place of the row with its UUID. */
  put(table: Table, row: Row): void {
    this.#record(table, row.uuid, row);
  }

  remove(table: Table, uuid: Uuid): void {
    this.#record(table, uuid, undefined);
  }

  #record(table: Table, uuid: Uuid, after: Row | undefined): void {
    let changes = this.#changes.get(table);
    if (!changes) {
      changes = new Map();
      this.#changes.set(table, changes);
    }
    const before = table.rows.get(uuid);
    if (before === undefined && after === undefined) changes.delete(uuid);
    else changes.set(uuid, { before, after });
  }

  /** Takes a row out of the changes: it is what it was. */
  forget(table: Table, uuid: Uuid): void {
    this.#changes.get(table)?.delete(uuid);
  }
}
