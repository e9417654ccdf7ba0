import { type DraftRow, defaultDatumOf, equalData, printDatumText, type Uuid } from '../../ovsdb/index.ts';
import type { CommandContext } from './context.ts';

/** What of each table's rows is shown, in this order; references to rows of these tables are followed. */
const SHOWN: Readonly<Record<string, { readonly name?: string; readonly columns: readonly string[] }>> = {
  Open_vSwitch: { columns: ['manager_options', 'bridges', 'ovs_version'] },
  Bridge: { name: 'name', columns: ['controller', 'fail_mode', 'datapath_type', 'ports'] },
  Port: { name: 'name', columns: ['tag', 'trunks', 'interfaces'] },
  Interface: { name: 'name', columns: ['type', 'options', 'error'] },
  Controller: { name: 'target', columns: ['is_connected'] },
  Manager: { name: 'target', columns: ['is_connected'] },
};

const INDENT = '    ';

export function show(context: CommandContext): void {
  for (const row of context.draft.rows('Open_vSwitch')) showRow(context, row, 0, new Set());
}

function showRow(context: CommandContext, row: DraftRow, depth: number, shown: Set<Uuid>): void {
  const { name, columns } = SHOWN[row.table.name];
  const title =
    name === undefined ? row.uuid : `${row.table.name} ${printDatumText(row.get(name), row.column(name).type)}`;
  context.print(`${INDENT.repeat(depth)}${title}`);
  if (shown.has(row.uuid)) return;
  shown.add(row.uuid);
  for (const columnName of columns) {
    const column = row.column(columnName);
    const { refTable } = column.type.key;
    const datum = row.get(column);
    if (refTable !== undefined && refTable in SHOWN) {
      for (const uuid of datum.keys as readonly Uuid[]) {
        const referred = context.draft.row(refTable, uuid);
        if (referred) showRow(context, referred, depth + 1, shown);
      }
    } else if (!equalData(datum, defaultDatumOf(column)))
      context.print(`${INDENT.repeat(depth + 1)}${columnName}: ${printDatumText(datum, column.type)}`);
  }
}
