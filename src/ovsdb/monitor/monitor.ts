import type { Row } from '../data/row.ts';
import type { Changes, RowChange, Table } from '../data/table.ts';
import { type Uuid, ZERO_UUID } from '../data/uuid.ts';
import type { Database } from '../database.ts';
import type { Json, JsonObject } from '../json/value.ts';
import type { Clause } from '../transaction/condition.ts';
import type { TableMonitor } from './request.ts';
import { describeRowUpdate, describeRowUpdate2, isWatched } from './row-update.ts';

/** By which method a monitor was made: `monitor`, `monitor_cond` or `monitor_cond_since`. */
export type MonitorVersion = 1 | 2 | 3;

const UPDATE_METHODS = { 1: 'update', 2: 'update2', 3: 'update3' } as const;

export interface UpdateNotification {
  readonly method: string;
  readonly params: readonly Json[];
}

/**
 * One client's watch on one database (RFC 7047 section 4.1.5, ovsdb-server(7) sections 4.1.12 to 4.1.16). Changes are
 * gathered row by row until they are taken, so that a slow client costs at most the rows of the database, and then hears
 * of the sum of the changes.
 */
export class Monitor {
  /** Chosen by the client; monitor_cond_change may replace it. */
  id: Json;
  readonly database: Database;
  readonly version: MonitorVersion;
  readonly tables: ReadonlyMap<Table, TableMonitor>;
  readonly #pending = new Map<Table, Map<Uuid, RowChange>>();

  constructor(id: Json, database: Database, version: MonitorVersion, tables: ReadonlyMap<Table, TableMonitor>) {
    this.id = id;
    this.database = database;
    this.version = version;
    this.tables = tables;
  }

  /** The rows as they are: the reply to the request that made the monitor. */
  initial(): Json {
    const updates: JsonObject = {};
    for (const monitor of this.tables.values())
      this.#describe(updates, monitor, asInserted(monitor.table.rows.values()), true);
    return this.version === 3 ? [false, ZERO_UUID, updates] : updates;
  }

  /** Notes what a commit changed. */
  add(changes: Changes): void {
    for (const [table, rows] of changes) {
      if (!this.tables.has(table)) continue;
      let pending = this.#pending.get(table);
      if (!pending) {
        pending = new Map();
        this.#pending.set(table, pending);
      }
      for (const [uuid, { before, after }] of rows) {
        const earlier = pending.get(uuid);
        pending.set(uuid, { before: earlier ? earlier.before : before, after });
      }
    }
  }

  /** The notification of all changes noted and not taken yet; undefined when there is nothing to tell. */
  take(): UpdateNotification | undefined {
    if (this.#pending.size === 0) return undefined;
    const updates: JsonObject = {};
    for (const [table, changes] of this.#pending) {
      const monitor = this.tables.get(table);
      if (monitor) this.#describe(updates, monitor, changes, false);
    }
    this.#pending.clear();
    return this.#notification(updates);
  }

  /** Replaces conditions, and gives the notification of the rows that come into view or go out of it. */
  changeConditions(conditions: ReadonlyMap<TableMonitor, readonly Clause[]>): UpdateNotification | undefined {
    const updates: JsonObject = {};
    for (const [monitor, clauses] of conditions) {
      const changes = new Map<Uuid, RowChange>();
      for (const row of monitor.table.rows.values()) {
        const was = isWatched(monitor.clauses, row);
        if (was !== isWatched(clauses, row))
          changes.set(row.uuid, was ? { before: row, after: undefined } : { before: undefined, after: row });
      }
      monitor.clauses = undefined;
      this.#describe(updates, monitor, changes, false);
      monitor.clauses = clauses;
    }
    return this.#notification(updates);
  }

  #describe(
    updates: JsonObject,
    monitor: TableMonitor,
    changes: Iterable<[Uuid, RowChange]>,
    isInitial: boolean,
  ): void {
    const describe = this.version === 1 ? describeRowUpdate : describeRowUpdate2;
    const rows: JsonObject = {};
    let isEmpty = true;
    for (const [uuid, change] of changes) {
      const update = describe(monitor, change, isInitial);
      if (update === undefined) continue;
      rows[uuid] = update;
      isEmpty = false;
    }
    if (!isEmpty) updates[monitor.table.schema.name] = rows;
  }

  #notification(updates: JsonObject): UpdateNotification | undefined {
    if (Object.keys(updates).length === 0) return undefined;
    const params = this.version === 3 ? [this.id, ZERO_UUID, updates] : [this.id, updates];
    return { method: UPDATE_METHODS[this.version], params };
  }
}

function* asInserted(rows: Iterable<Row>): Generator<[Uuid, RowChange]> {
  for (const row of rows) yield [row.uuid, { before: undefined, after: row }];
}
