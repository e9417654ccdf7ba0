import type { Table } from '../data/table.ts';
import type { Database } from '../database.ts';
import { OvsdbError } from '../errors.ts';
import { Members } from '../json/members.ts';
import { isArray, type Json } from '../json/value.ts';
import type { ColumnSchema } from '../schema/schema.ts';
import { type Clause, parseClauses } from '../transaction/condition.ts';
import { parseColumns } from '../transaction/row-operations.ts';

/** Of what a monitor is told (`<monitor-select>` of RFC 7047 section 4.1.5), as bits. */
export const SELECT = { initial: 1, insert: 2, delete: 4, modify: 8 } as const;

/** What one monitor wants to know of one table. */
export interface TableMonitor {
  readonly table: Table;
  /** With the SELECT bits for which the column is shown. */
  readonly columns: ReadonlyMap<ColumnSchema, number>;
  /** The union of the columns' and of requests without columns. */
  readonly select: number;
  /** Rows for which any of the clauses holds; undefined and empty mean all rows. */
  clauses: readonly Clause[] | undefined;
}

/** The `<monitor-requests>` of monitor, and of the monitor_cond methods when `allowsWhere`. Throws OvsdbError. */
export function parseMonitorRequests(json: Json, database: Database, allowsWhere: boolean): Map<Table, TableMonitor> {
  const requests = new Members(json, 'monitor requests');
  const monitors = new Map<Table, TableMonitor>();
  for (const [name, tableJson] of Object.entries(requests.json)) {
    const table = tableNamed(name, database);
    monitors.set(table, parseTableMonitor(isArray(tableJson) ? tableJson : [tableJson], table, allowsWhere));
  }
  return monitors;
}

function tableNamed(name: string, database: Database): Table {
  const table = database.tables.get(name);
  if (!table) throw new OvsdbError('OVSDB_SYNTAX', `there is no table ${name}`);
  return table;
}

function parseTableMonitor(json: readonly Json[], table: Table, allowsWhere: boolean): TableMonitor {
  const columns = new Map<ColumnSchema, number>();
  let select = 0;
  let clauses: readonly Clause[] | undefined;
  json.forEach((request, i) => {
    const members = new Members(request, `the monitor request for table ${table.schema.name}`);
    const columnsJson = members.optional('columns', 'array');
    const where = allowsWhere ? members.optional('where', 'array') : undefined;
    const bits = parseSelect(members.optional('select', 'object'));
    members.finish();
    select |= bits;
    for (const column of parseColumns(columnsJson, table.schema)) {
      if (columnsJson === undefined && column.name === '_uuid') continue;
      if (columns.has(column))
        throw new OvsdbError('OVSDB_SYNTAX', `column ${column.name} is named in two requests`, { syntax: request });
      columns.set(column, bits);
    }
    // One table has one condition; ovsdb-server takes the first request's.
    if (i === 0 && where) clauses = parseClauses(where, table.schema);
  });
  return { table, columns, select, clauses };
}

function parseSelect(json: Json | undefined): number {
  if (json === undefined) return SELECT.initial | SELECT.insert | SELECT.delete | SELECT.modify;
  const members = new Members(json, 'a monitor select');
  let bits = 0;
  for (const [name, bit] of Object.entries(SELECT)) if (members.optional(name, 'boolean') !== false) bits |= bit;
  members.finish();
  return bits;
}

/** The `<monitor-cond-update-requests>` of monitor_cond_change: new conditions by table. Throws OvsdbError. */
export function parseConditionChange(
  json: Json,
  database: Database,
  monitored: ReadonlyMap<Table, TableMonitor>,
): Map<TableMonitor, readonly Clause[]> {
  const requests = new Members(json, 'monitor_cond_change requests');
  const changes = new Map<TableMonitor, readonly Clause[]>();
  for (const [name, tableJson] of Object.entries(requests.json)) {
    const table = tableNamed(name, database);
    const monitor = monitored.get(table);
    if (!monitor) throw new OvsdbError('OVSDB_SYNTAX', `the monitor does not watch table ${name}`);
    if (!isArray(tableJson))
      throw new OvsdbError('OVSDB_SYNTAX', `the conditions for table ${name} must be an array`, { syntax: tableJson });
    for (const request of tableJson) {
      const members = new Members(request, `the new condition for table ${name}`);
      const where = members.optional('where', 'array');
      members.optional('columns', 'array');
      members.finish();
      if (where) changes.set(monitor, parseClauses(where, table.schema));
    }
  }
  return changes;
}
