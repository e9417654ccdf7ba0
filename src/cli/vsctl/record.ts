import {
  type ColumnSchema,
  type Draft,
  type DraftRow,
  listedColumns,
  parseUuid,
  type TableSchema,
  type Uuid,
} from '../../ovsdb/index.ts';
import { type CommandContext, fail, type Transaction } from './context.ts';

/** Another way than its UUID to name a row, ovs-vsctl(8) "Identifying Tables, Records, and Columns". */
type RecordName =
  /** By a column of the row. */
  | { readonly column: string }
  /** By the name of the row of `table` whose `reference` is the row. */
  | { readonly table: string; readonly reference: string }
  /** The only row, as `.`. */
  | 'single';

const RECORD_NAMES: Readonly<Record<string, RecordName>> = {
  AutoAttach: { table: 'Bridge', reference: 'auto_attach' },
  Bridge: { column: 'name' },
  Controller: { table: 'Bridge', reference: 'controller' },
  Flow_Sample_Collector_Set: { column: 'id' },
  Flow_Table: { column: 'name' },
  IPFIX: { table: 'Bridge', reference: 'ipfix' },
  Interface: { column: 'name' },
  Manager: { column: 'target' },
  Mirror: { column: 'name' },
  NetFlow: { table: 'Bridge', reference: 'netflow' },
  Open_vSwitch: 'single',
  Port: { column: 'name' },
  QoS: { table: 'Port', reference: 'qos' },
  SSL: 'single',
  sFlow: { table: 'Bridge', reference: 'sflow' },
};

/** How many hexadecimal digits of a UUID are enough to ask for a row by. */
const MIN_UUID_DIGITS = 4;

/** The table of that name, which may be cut short and written in any case. Throws VsctlError. */
export function findTable(draft: Draft, name: string): TableSchema {
  const tables = [...draft.schema.tables.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  const found = bestMatches(tables, name);
  if (found.length === 0) fail(`unknown table "${name}"`);
  if (found.length > 1) fail(`"${name}" matches multiple table names: ${names(found)}`);
  return found[0];
}

/** The column of that name, which may be cut short and have - for _. Throws VsctlError. */
export function findColumn(table: TableSchema, name: string, includesUuid = false): ColumnSchema {
  const columns = listedColumns(table).filter((column) => includesUuid || column.index >= 0);
  const found = bestMatches(columns, name);
  if (found.length === 0) fail(`${table.name} does not contain a column whose name matches "${name}"`);
  if (found.length > 1)
    fail(`${table.name} contains more than one column whose name matches "${name}": ${names(found)}`);
  return found[0];
}

function names(things: readonly { readonly name: string }[]): string {
  return things.map(({ name }) => name).join(', ');
}

/** The thing of just that name, or else those whose names are alike, or else those whose names begin with it. */
function bestMatches<T extends { readonly name: string }>(things: readonly T[], name: string): T[] {
  const exact = things.filter((thing) => thing.name === name);
  if (exact.length > 0) return exact;
  const wanted = folded(name);
  const alike = things.filter((thing) => folded(thing.name) === wanted);
  return alike.length > 0 ? alike : things.filter((thing) => wanted !== '' && folded(thing.name).startsWith(wanted));
}

function folded(name: string): string {
  return name.toLowerCase().replaceAll('-', '_');
}

/** The row that `id` names. Throws VsctlError when several do. */
export function findRecord({ draft, root }: Transaction, table: TableSchema, id: string): DraftRow | undefined {
  const uuid = parseUuid(id);
  const byUuid = uuid && draft.row(table.name, uuid);
  if (byUuid) return byUuid;
  const way = RECORD_NAMES[table.name];
  if (way === 'single') {
    const [only] = table.name === 'Open_vSwitch' ? [root] : draft.rows(table.name);
    if (id === '.' && only) return only;
  } else if (way) {
    const named = findNamed(draft, table, way, id);
    if (named) return named;
  }
  return findByUuidPrefix(draft, table, id);
}

function findNamed(
  draft: Draft,
  table: TableSchema,
  way: Exclude<RecordName, 'single'>,
  id: string,
): DraftRow | undefined {
  const holderTable = 'column' in way ? table : draft.table(way.table);
  const column = findColumn(holderTable, 'column' in way ? way.column : 'name');
  const rows = [...draft.rows(holderTable.name)].filter((row) => String(row.get(column).keys[0]) === id);
  if (rows.length > 1) fail(`multiple rows in ${holderTable.name} match "${id}"`);
  if (rows.length === 0 || 'column' in way) return rows[0];
  const [target, another] = rows[0].uuids(way.reference);
  return target === undefined || another !== undefined ? undefined : draft.row(table.name, target);
}

function findByUuidPrefix(draft: Draft, table: TableSchema, id: string): DraftRow | undefined {
  if (!/^[0-9a-f-]+$/i.test(id) || id.replaceAll('-', '').length < MIN_UUID_DIGITS) return undefined;
  const rows = [...draft.rows(table.name)].filter(({ uuid }) => uuid.startsWith(id.toLowerCase() as Uuid));
  if (rows.length > 1)
    fail(
      `${table.name} contains 2 or more rows whose UUIDs begin with ${id}: at least ${rows[0].uuid} and ${rows[1].uuid}`,
    );
  return rows[0];
}

/** The row that the command's argument names; undefined only with `--if-exists`. Throws VsctlError. */
export function recordOf(context: CommandContext, table: TableSchema, id: string): DraftRow | undefined {
  const row = findRecord(context.transaction, table, id);
  if (!row && !context.has('--if-exists')) fail(`no row "${id}" in table ${table.name}`);
  return row;
}
