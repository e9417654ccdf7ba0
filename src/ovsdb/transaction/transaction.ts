import type { Row } from '../data/row.ts';
import type { RowChange, Table } from '../data/table.ts';
import type { Uuid } from '../data/uuid.ts';
import { type Clause, holds, namedRow } from './condition.ts';

/**
 * The rows as one transaction sees them: the committed ones with its own changes on top. Nothing outside sees them
 * before they are committed; dropping the object aborts.
 */
export class Transaction {
  readonly tables: ReadonlyMap<string, Table>;
  readonly #changes = new Map<Table, Map<Uuid, RowChange>>();
  readonly comments: string[] = [];
  isDurable = false;

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
    const found: Row[] = [];
    for (const row of this.rows(table)) if (clauses.every((clause) => holds(clause, row))) found.push(row);
    return found;
  }

  *rows(table: Table): Generator<Row> {
    const changes = this.#changes.get(table);
    for (const row of table.rows.values()) {
      if (!changes?.has(row.uuid)) yield row;
    }
    if (changes) for (const { after } of changes.values()) if (after) yield after;
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
